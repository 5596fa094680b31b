// SPDX-License-Identifier: MIT
// talkface: the user's tool. One file per subcommand; this one reads the command line.
#include <gst/gst.h>

#include <cstdio>
#include <exception>

#include "pipelines/cli/command.h"
#include "pipelines/cli/environment.h"
#include "pipelines/cli/paths.h"

namespace {

int Run(int argc, char** argv) {
  CLI::App app{
      "talkface turns speech and one portrait into a talking-face video.\n"
      "Try: talkface render --image portrait.jpg --audio speech.wav --output talking.mp4"};
  app.set_version_flag("--version", "talkface " TALKFACE_VERSION);
  app.require_subcommand(1);
  talkface::cli::Command chosen;
  talkface::cli::AddRender(&app, &chosen);
  talkface::cli::AddInspectImage(&app, &chosen);
  talkface::cli::AddPrepare(&app, &chosen);
  talkface::cli::AddModels(&app, &chosen);
  talkface::cli::AddDevices(&app, &chosen);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    fprintf(stderr, "talkface: %s (see talkface --help)\n", error.what());
    return 2;
  }
  talkface::cli::FindOwnFiles();
  gst_init(nullptr, nullptr);
  return chosen();
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return Run(argc, argv);
  } catch (const std::exception& error) {
    fprintf(stderr, "talkface: %s\n", error.what());
    return 1;
  }
}
