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
  if (total <= 0) {
    Draw(what, 0, ClockText(done));
    return;
  }
  char speed[40];
  snprintf(speed, sizeof speed, "%.1f x real time", done / std::max(Elapsed(), 0.01));
  Draw(what, std::clamp(done / total, 0.0, 1.0), speed);
}

void Progress::ShowCount(const std::string& what, size_t done, size_t total) {
  Draw(what, total == 0 ? 0 : static_cast<double>(done) / static_cast<double>(total),
       std::to_string(done) + " of " + std::to_string(total));
}

void Progress::Draw(const std::string& what, double share, const std::string& more) {
  if (!terminal_) return;
  shown_ = true;
  const int filled = static_cast<int>(share * kBarWidth);
  const std::string bar = std::string(filled, '#') + std::string(kBarWidth - filled, '.');
  fprintf(stderr, "\r%s [%s] %3.0f %%  %s", what.c_str(), bar.c_str(), share * 100, more.c_str());
  if (share > 0) fprintf(stderr, "  %s left", ClockText(Elapsed() * (1 - share) / share).c_str());
  fprintf(stderr, "\033[K");
  fflush(stderr);
}

void Progress::Clear() {
  if (shown_) fprintf(stderr, "\r\033[K");
  shown_ = false;
}

}  // namespace talkface::cli
