// SPDX-License-Identifier: MIT
// torch/torch.h costs 20 s a file: it is compiled once.
#pragma once
#include <torch/torch.h>
