// SPDX-License-Identifier: MIT
// One line on the terminal that says how far a job is.
#pragma once

#include <chrono>
#include <string>

namespace talkface::cli {

// 42 -> "42 s", 75 -> "1:15 min".
std::string ClockText(double seconds);

// Redraws itself in place on stderr; says nothing where stderr is no terminal.
class Progress {
 public:
  Progress();
  ~Progress() { Clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  // `done` of `total` seconds of media (total <= 0: not known yet); `what` stands in front.
  void Show(const std::string& what, double done, double total);
  void ShowCount(const std::string& what, size_t done, size_t total);
  void Clear();            // before anything else is printed
  double Elapsed() const;  // seconds since it was made

 private:
  void Draw(const std::string& what, double share, const std::string& more);

  std::chrono::steady_clock::time_point start_;
  bool terminal_, shown_ = false;
};

}  // namespace talkface::cli
