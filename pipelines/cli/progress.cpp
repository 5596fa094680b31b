// SPDX-License-Identifier: MIT
#include "pipelines/cli/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace talkface::cli {
namespace {

constexpr int kBarWidth = 30;

}  // namespace

std::string ClockText(double seconds) {
  const long whole = std::lround(std::max(seconds, 0.0));
  char text[40];
  if (whole < 60)
    snprintf(text, sizeof text, "%ld s", whole);
  else if (whole < 3600)
    snprintf(text, sizeof text, "%ld:%02ld min", whole / 60, whole % 60);
  else
    snprintf(text, sizeof text, "%ld:%02ld:%02ld h", whole / 3600, whole / 60 % 60, whole % 60);
  return text;
}

Progress::Progress() : start_(std::chrono::steady_clock::now()), terminal_(isatty(STDERR_FILENO)) {}

double Progress::Elapsed() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

void Progress::Show(const std::string& what, double done, double total) {
  if (!terminal_) return;
  shown_ = true;
  if (total <= 0) {
    fprintf(stderr, "\r%s: %s\033[K", what.c_str(), ClockText(done).c_str());
  } else {
    const double share = std::clamp(done / total, 0.0, 1.0);
    const int filled = static_cast<int>(share * kBarWidth);
    const std::string bar = std::string(filled, '#') + std::string(kBarWidth - filled, '.');
    const double elapsed = Elapsed();
    fprintf(stderr, "\r%s [%s] %3.0f %%  %.1f x real time", what.c_str(), bar.c_str(), share * 100,
            done / std::max(elapsed, 0.01));
    if (share > 0) fprintf(stderr, "  %s left", ClockText(elapsed * (1 - share) / share).c_str());
    fprintf(stderr, "\033[K");
  }
  fflush(stderr);
}

void Progress::Clear() {
  if (shown_) fprintf(stderr, "\r\033[K");
  shown_ = false;
}

}  // namespace talkface::cli
