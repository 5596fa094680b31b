// SPDX-License-Identifier: MIT
// An engine that needs a libtorch.
extern "C" int torch_test_function();
extern "C" __attribute__((visibility("default"))) int talkface_test_use();
extern "C" int talkface_test_use() { return torch_test_function(); }
