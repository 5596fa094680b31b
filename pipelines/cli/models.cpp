// SPDX-License-Identifier: MIT
// talkface models: the model packs that `--model` can name.
#include <cstdio>
#include <nlohmann/json.hpp>
#include <vector>

#include "gst/engine_loader.h"
#include "pipelines/cli/command.h"
#include "pipelines/cli/engine.h"

namespace talkface::cli {
namespace {

using Packs = std::vector<nlohmann::json>;

void Collect(void* user, const char* json) noexcept {
  nlohmann::json pack = nlohmann::json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (pack.is_object()) static_cast<Packs*>(user)->push_back(std::move(pack));
}

std::string Field(const nlohmann::json& pack, const char* name) { return pack.value(name, ""); }

int RunModels() {
  const EngineLibrary& library = EngineOrThrow();
  Packs packs;
  library.list_packs(nullptr, Collect, &packs);
  if (packs.empty())
    throw Error("no model packs found; set TALKFACE_MODEL_PATH to a folder that holds packs");
  printf("%-16s %-8s %-8s %-24s %s\n", "NAME", "VERSION", "FAMILY", "LICENCE", "FOLDER");
  for (const nlohmann::json& pack : packs) {
    printf("%-16s %-8s %-8s %-24s %s\n", Field(pack, "name").c_str(),
           Field(pack, "version").c_str(), Field(pack, "family").c_str(),
           Field(pack, "licence").c_str(), Field(pack, "folder").c_str());
    if (const std::string error = Field(pack, "error"); !error.empty())
      printf("%-16s cannot be used: %s\n", "", error.c_str());
  }
  return 0;
}

}  // namespace

void AddModels(CLI::App* app, Command* chosen) {
  app->add_subcommand("models", "List the model packs that --model can name, with their licences")
      ->callback([chosen] { *chosen = RunModels; });
}

}  // namespace talkface::cli
