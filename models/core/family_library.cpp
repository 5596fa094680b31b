// SPDX-License-Identifier: MIT
#include "models/core/family_library.h"

#include <dlfcn.h>
#include <link.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <map>
#include <mutex>
#include <vector>

#include "models/core/library_path.h"

namespace talkface {
namespace {

const FamilyLibrary* LibraryOf(const std::string& family) {
  for (const FamilyLibrary& library : FamilyLibraries())
    if (family == library.family) return &library;
  return nullptr;
}

std::string Advice(const FamilyLibrary& library) {
  return std::string("install the package ") + library.package + ", or run " + library.setup +
         " where you built talkface, and build it again.";
}

std::string Needs(const Pack& pack, const FamilyLibrary& library) {
  return "Pack '" + pack.name() + "' is of the family '" + library.family + "', which needs " +
         library.file;
}

// The file of a library that the process has loaded already, or "".
std::string Resident(const char* soname) {
  void* handle = dlopen(soname, RTLD_LAZY | RTLD_NOLOAD);
  if (handle == nullptr) return "";
  const link_map* map = nullptr;
  std::string path = soname;
  if (dlinfo(handle, RTLD_DI_LINKMAP, &map) == 0) path = map->l_name;
  dlclose(handle);
  return path;
}

// Why dlopen refused the library. `before`: what it stands on was in the process from there.
[[noreturn]] void Refuse(const Pack& pack, const FamilyLibrary& library,
                         const std::string& before) {
  const std::string reason = dlerror();
  if (!before.empty()) {
    throw Error(Code::kUnsupported,
                Needs(pack, library) + ", but this process has already loaded another " +
                    library.stands_on + " (" + before + "): run talkface in a process of its own.",
                reason);
  }
  throw Error(
      Code::kNotFound,
      Needs(pack, library) + ", and that cannot be loaded: " + reason + "; " + Advice(library),
      reason);
}

struct Opened {
  const FamilyEntry* entries;
  size_t count;
};

Opened OpenLibrary(const Pack& pack, const FamilyLibrary& library) {
  const std::string missing = MissingLibrary(pack);
  if (!missing.empty()) throw Error(Code::kNotFound, missing);
  const std::string path = LibraryPath(library.file, library.variable);
  const std::string before = Resident(library.stands_on);
  // Local: the process may hold other copies of what it links. Never closed: libtorch cannot be.
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (handle == nullptr) Refuse(pack, library, before);
  const auto families = reinterpret_cast<FamiliesFunction>(dlsym(handle, "talkface_families"));
  Opened opened{};
  if (families != nullptr) opened.entries = families(kLibraryBuild, &opened.count);
  if (opened.entries == nullptr) {
    throw Error(Code::kUnsupported, "'" + path + "' is of another release than the engine (" +
                                        kLibraryBuild + "): install both from one.");
  }
  return opened;
}

}  // namespace

const FamilyEntry& FamilyOf(const Pack& pack) {
  static std::mutex* mutex = new std::mutex;  // guards the map, also while a library is opened
  static auto* opened = new std::map<std::string, Opened>;  // by file
  const auto is_it = [&pack](const FamilyEntry& entry) { return pack.family() == entry.name; };
  for (const FamilyEntry& entry : Families())
    if (is_it(entry)) return entry;
  if (const FamilyLibrary* library = LibraryOf(pack.family())) {
    const std::lock_guard<std::mutex> lock(*mutex);
    auto found = opened->find(library->file);
    if (found == opened->end())
      found = opened->emplace(library->file, OpenLibrary(pack, *library)).first;
    const FamilyEntry* end = found->second.entries + found->second.count;
    const FamilyEntry* entry = std::find_if(found->second.entries, end, is_it);
    if (entry != end) return *entry;
  }
  throw Error(Code::kUnsupported, "Pack '" + pack.name() + "' is of the family '" + pack.family() +
                                      "', which cannot draw faces in this build.");
}

std::string MissingLibrary(const Pack& pack) {
  const FamilyLibrary* library = LibraryOf(pack.family());
  if (library == nullptr) return "";
  const std::string path = LibraryPath(library->file, library->variable);
  std::error_code ignored;
  if (std::filesystem::is_regular_file(path, ignored)) return "";
  return Needs(pack, *library) + ", and '" + path + "' is not there: " + Advice(*library);
}

}  // namespace talkface
