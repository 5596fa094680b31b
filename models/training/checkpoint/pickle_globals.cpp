// SPDX-License-Identifier: MIT
#include "models/training/checkpoint/pickle_globals.h"

#include <algorithm>
#include <iterator>

namespace talkface::checkpoint {
namespace {

// Modules of which nothing belongs into a checkpoint.
constexpr std::string_view kModules[] = {
    "asyncio",    "bdb",       "code",     "codeop",    "commands",  "cProfile", "ctypes",
    "doctest",    "ftplib",    "http",     "imp",       "importlib", "marshal",  "multiprocessing",
    "nt",         "os",        "pdb",      "pip",       "pkgutil",   "posix",    "posixpath",
    "profile",    "pty",       "runpy",    "shutil",    "smtplib",   "socket",   "subprocess",
    "sys",        "telnetlib", "tempfile", "threading", "timeit",    "trace",    "urllib",
    "webbrowser", "zipimport"};
constexpr std::string_view kBuiltinModules[] = {"builtins", "__builtin__"};
constexpr std::string_view kBuiltins[] = {"__import__", "apply", "breakpoint", "compile",
                                          "eval",       "exec",  "execfile",   "open"};

template <typename Names>
bool Contains(const Names& names, std::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

}  // namespace

bool RunsCode(std::string_view full_name) {
  const std::string_view package = full_name.substr(0, full_name.find('.'));
  if (Contains(kModules, package)) return true;
  if (!Contains(kBuiltinModules, package)) return false;
  const size_t dot = full_name.find('.');
  return dot != std::string_view::npos && Contains(kBuiltins, full_name.substr(dot + 1));
}

}  // namespace talkface::checkpoint
