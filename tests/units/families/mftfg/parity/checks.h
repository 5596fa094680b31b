// SPDX-License-Identifier: MIT
// The kinds of reference files, each with its check. A new kind is a file `NAME_check.cpp` beside
// this one, its function here, a line in checks.cpp, and its name in meson.build.
#pragma once

#include <string>
#include <vector>

#include "tests/units/families/mftfg/parity/reference.h"

namespace talkface::parity {

struct Check {
  const char* name;
  // A tensor that files of this kind hold and no others do.
  const char* mark;
  void (*run)(Reference* reference);
};

const std::vector<Check>& Checks();

// The numbers of mftfg::Schedule with tensors of `prefix` ("mid/") and the official names.
void CompareSchedule(Reference* reference, const std::string& prefix);

void CheckAudio2AU(Reference* reference);
void CheckDdim(Reference* reference);
void CheckEndToEnd(Reference* reference);
void CheckEncoders(Reference* reference);
void CheckFusion(Reference* reference);
void CheckMask(Reference* reference);
void CheckMfcc(Reference* reference);
void CheckPreprocess(Reference* reference);
void CheckUnet(Reference* reference);
void CheckVq(Reference* reference);

}  // namespace talkface::parity
