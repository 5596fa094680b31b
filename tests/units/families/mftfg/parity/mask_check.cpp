// SPDX-License-Identifier: MIT
// e_mask: the mask generator and the split of the face.
#include "models/families/mftfg/model/mask_generator.h"
#include "tests/units/families/mftfg/parity/checks.h"

namespace talkface::parity {
namespace {

// Compares what comes out of `main` after its layers `last`; files hold some of the channels.
void CheckLayers(Reference* reference, mftfg::MaskGenerator generator, torch::Tensor x,
                 const std::vector<std::pair<size_t, const char*>>& after) {
  size_t layer = 0;
  for (auto module = generator->main->begin(); module != generator->main->end(); ++module) {
    x = module->forward(x);
    for (const auto& [last, name] : after) {
      if (layer != last) continue;
      const int64_t channels = reference->Size(name, 1);
      reference->Compare(name, x.narrow(1, 0, channels), kModuleTolerance);
    }
    ++layer;
  }
}

}  // namespace

void CheckMask(Reference* reference) {
  mftfg::Config config;
  config.wiring = mftfg::Wiring::kOfficial;
  config.mask_channels = reference->Size("param/main.0.weight", 0);
  config.mask_blocks = std::stoll(reference->Fact("repeat_num"));
  mftfg::MaskGenerator generator(config);
  reference->Load(*generator, "");
  generator->eval();
  const torch::Tensor image = reference->Get("in/image"), units = reference->Get("in/au");
  const size_t down = 8, blocks = static_cast<size_t>(config.mask_blocks), up = 6;
  CheckLayers(reference, generator, generator->Input(image, units),
              {{down, "mid/down2"},
               {down + blocks, "mid/bottleneck"},
               {down + blocks + up, "mid/features_ch0_3"}});
  const mftfg::MaskOutput out = generator->forward(image, units);
  reference->Compare("out/img", out.picture, kModuleTolerance);
  reference->Compare("out/mask", out.mask, kModuleTolerance);
  const mftfg::FaceParts parts =
      mftfg::SplitFace(reference->Get("in/ref"), out.mask, mftfg::Wiring::kOfficial);
  reference->Compare("out/audio_face", parts.audio_face, kModuleTolerance);
  reference->Compare("out/identity_face", parts.identity_face, kModuleTolerance);
}

}  // namespace talkface::parity
