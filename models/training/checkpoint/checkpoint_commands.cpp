// SPDX-License-Identifier: MIT
#include "models/training/checkpoint/checkpoint_commands.h"

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "models/core/error.h"
#include "models/training/checkpoint/mftfg_pack.h"
#include "models/training/checkpoint/pack_export.h"

namespace talkface::checkpoint {
namespace {

struct ImportArguments {
  MftfgFiles files;
  std::vector<std::string> audio2au;  // "AU10=FILE"
  int64_t head_channels = mftfg::Config().unet_head_channels;
  MftfgPackFacts pack;
};

void ReadUnitFiles(ImportArguments* arguments) {
  for (const std::string& text : arguments->audio2au) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos || equals + 1 == text.size())
      throw Error(Code::kInvalid, "--audio2au is " + text + ", wanted for example AU10=FILE.");
    const int unit = UnitOfFileName(text.substr(0, equals));
    if (!arguments->files.audio2au.emplace(unit, text.substr(equals + 1)).second)
      throw Error(Code::kInvalid, "--audio2au gives AU" + std::to_string(unit) + " twice.");
  }
}

// Says in steps of a tenth how far the writing is.
class Progress {
 public:
  explicit Progress(uint64_t total) : total_(total) {}
  void operator()(uint64_t done) {
    const auto tenth = static_cast<int>(total_ == 0 ? 10 : done * 10 / total_);
    if (tenth <= shown_) return;
    shown_ = tenth;
    std::fprintf(stderr, "  %3d %% of %.2f GB written\n", tenth * 10,
                 static_cast<double>(total_) / 1e9);
  }

 private:
  uint64_t total_;
  int shown_ = 0;
};

void RunImport(ImportArguments* arguments) {
  ReadUnitFiles(arguments);
  MftfgTensors tensors = ReadMftfg(arguments->files);
  tensors.sizes.unet_head_channels = arguments->head_channels;
  std::fprintf(stderr, "%zu tensors, %s weights\n",
               tensors.model.size() + tensors.audio2au.size() + tensors.mask.size(),
               tensors.averaged ? "averaged (EMA)" : "raw");
  if (!tensors.left_out.empty())
    std::fprintf(stderr, "left out %zu tensors that only training uses: %s ...\n",
                 tensors.left_out.size(), tensors.left_out[0].c_str());
  if (!tensors.trained)
    std::fprintf(
        stderr,
        "warning: the checkpoint has no attention keys and values (the official code draws "
        "them anew in every call).\n  They are set to fixed random numbers, and the pack "
        "is marked conditioning: untrained; train it before you use it.\n");
  WriteMftfgPack(tensors, arguments->pack, Progress(tensors.bytes()));
  std::fprintf(stderr, "wrote %s\n", arguments->pack.folder.c_str());
}

void AddImport(CLI::App* app) {
  auto arguments = std::make_shared<ImportArguments>();
  CLI::App* import = app->add_subcommand("import", "makes a pack of PyTorch checkpoints");
  import->require_subcommand(1);
  CLI::App* mftfg = import->add_subcommand("mftfg", "of the paper's official checkpoints");
  mftfg
      ->add_option("--checkpoint", arguments->files.files,
                   "files of the parts: latent diffusion, mask generator, and Audio2AU where the "
                   "file name tells the action unit")
      ->required();
  mftfg->add_option("--audio2au", arguments->audio2au,
                    "an Audio2AU file whose name tells no action unit, as AU10=FILE");
  mftfg->add_option("--output", arguments->pack.folder, "pack folder to make")->required();
  mftfg->add_option("--licence", arguments->pack.licence, "of the weights")
      ->default_val("LicenseRef-unknown");
  mftfg
      ->add_option("--head-channels", arguments->head_channels,
                   "of the U-Net's attention, which the files do not tell")
      ->capture_default_str()
      ->check(CLI::Range(1, 256));
  mftfg->add_flag("--raw-weights", arguments->files.raw_weights,
                  "take the last weights although averaged ones (EMA) are there");
  mftfg->callback([arguments] { RunImport(arguments.get()); });
}

struct ExportArguments {
  std::string model, output;
};

void AddExport(CLI::App* app) {
  auto arguments = std::make_shared<ExportArguments>();
  CLI::App* command = app->add_subcommand("export", "writes a pack's weights for torch.load");
  command->add_option("--model", arguments->model, "pack name or folder")->required();
  command->add_option("--output", arguments->output, "file to write, for example model.pt")
      ->required();
  command->callback([arguments] {
    const size_t count = ExportPack(arguments->model, arguments->output);
    std::fprintf(stderr, "wrote %zu tensors to %s\n", count, arguments->output.c_str());
  });
}

}  // namespace

void AddCheckpointCommands(CLI::App* app) {
  AddImport(app);
  AddExport(app);
}

}  // namespace talkface::checkpoint
