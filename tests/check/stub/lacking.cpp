// SPDX-License-Identifier: MIT
// A library to link against, which is not there afterwards.
extern "C" __attribute__((visibility("default"))) int talkface_test_lacking();
extern "C" int talkface_test_lacking() { return 1; }
