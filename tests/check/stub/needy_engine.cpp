// SPDX-License-Identifier: MIT
// An engine that needs a library.
extern "C" int talkface_test_lacking();
extern "C" __attribute__((visibility("default"))) int talkface_test_use();
extern "C" int talkface_test_use() { return talkface_test_lacking(); }
