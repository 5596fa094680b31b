// SPDX-License-Identifier: MIT
// The sizes of a reference file's networks, out of the shapes of their parameters.
#pragma once

#include <string>

#include "models/families/mftfg/config.h"
#include "tests/units/families/mftfg/parity/reference.h"

namespace talkface::parity {

// Widths, levels, blocks and codes of `param/first_stage_model.*`, into `config`.
void ReadFirstStageSizes(const Reference& reference, mftfg::Config* config);

// The same of `param/model.diffusion_model.*`; its attention heads' size, which no shape tells, is
// 'hc' in the metadata's entry `fact` ("16", or inside of "{'nrb': 1, 'hc': 16}"). `latent_size` is
// that of the file's latents.
void ReadUnetSizes(const Reference& reference, const std::string& fact, int64_t latent_size,
                   mftfg::Config* config);

// All of i_e2e's.
mftfg::Config ReadModelSizes(const Reference& reference);

}  // namespace talkface::parity
