// SPDX-License-Identifier: MIT
// torch/torch.h costs 20 s a file: it is compiled once. (gcc warns of #pragma once in a header that
// is compiled by itself.)
#ifndef TALKFACE_MODELS_PCH_TORCH_PCH_H_
#define TALKFACE_MODELS_PCH_TORCH_PCH_H_
#include <torch/torch.h>
#endif
