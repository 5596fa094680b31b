// SPDX-License-Identifier: MIT
// talkface-train import and talkface-train export.
#pragma once

#include <CLI/CLI.hpp>

namespace talkface::checkpoint {

// Adds the commands to `app`; one that is chosen runs when the command line has been parsed, and
// throws Error.
void AddCheckpointCommands(CLI::App* app);

}  // namespace talkface::checkpoint
