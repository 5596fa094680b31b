// SPDX-License-Identifier: MIT
// A libtorch to link against: what only the right one has.
extern "C" __attribute__((visibility("default"))) int torch_test_function();
extern "C" int torch_test_function() { return 1; }
