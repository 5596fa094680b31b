// SPDX-License-Identifier: MIT
// A libtorch of another version: the same soname, other functions.
extern "C" __attribute__((visibility("default"))) int torch_test_other_function();
extern "C" int torch_test_other_function() { return 2; }
