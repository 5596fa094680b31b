// SPDX-License-Identifier: MIT
// A library of families that needs a libtorch.
extern "C" int torch_test_function();
extern "C" __attribute__((visibility("default"))) int talkface_families();
extern "C" int talkface_families() { return torch_test_function(); }
