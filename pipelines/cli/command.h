// SPDX-License-Identifier: MIT
// The subcommands of the tool: each file adds one.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <stdexcept>
#include <string>

namespace talkface::cli {

// Ends a command: the tool prints the one line and exits with status 1.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// What the user chose: returns the exit status, throws Error. Empty until the command line is read.
using Command = std::function<int()>;

// Each adds its subcommand to `app`; when that is on the command line, parsing sets `chosen`.
void AddRender(CLI::App* app, Command* chosen);
void AddInspectImage(CLI::App* app, Command* chosen);
void AddPrepare(CLI::App* app, Command* chosen);
void AddModels(CLI::App* app, Command* chosen);
void AddDevices(CLI::App* app, Command* chosen);

}  // namespace talkface::cli
