// SPDX-License-Identifier: MIT
#include "gst/engine_loader.h"

#include <dlfcn.h>
#include <gst/gst.h>

#include <cstring>
#include <mutex>
#include <string>

GST_DEBUG_CATEGORY_STATIC(talkface_engine_debug);
#define GST_CAT_DEFAULT talkface_engine_debug

namespace talkface {
namespace {

constexpr char kEngineFile[] = "libtalkface-engine.so";

bool IsFile(const std::string& path) { return g_file_test(path.c_str(), G_FILE_TEST_IS_REGULAR); }

// The engine's place relative to the shared object that holds this function: LIBDIR/gstreamer-1.0
// has it in LIBDIR/talkface.
std::string BesidePlugin() {
  Dl_info info;
  if (dladdr(reinterpret_cast<const void*>(&LoadEngine), &info) == 0 || info.dli_fname == nullptr)
    return "";
  char* folder = g_path_get_dirname(info.dli_fname);
  std::string path = std::string(folder) + "/../talkface/" + kEngineFile;
  g_free(folder);
  return path;
}

// The engine's file, or "" with `error` set.
std::string FindEngine(GError** error) {
  const char* chosen = g_getenv("TALKFACE_ENGINE");
  if (chosen != nullptr && *chosen != '\0') {
    if (IsFile(chosen)) return chosen;
    g_set_error(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND,
                "TALKFACE_ENGINE names the talkface engine '%s', which is not a file; correct the "
                "variable, or unset it to use the installed engine.",
                chosen);
    return "";
  }
  const std::string beside = BesidePlugin();
  if (IsFile(beside)) return beside;
  const std::string installed = std::string(TALKFACE_ENGINE_DIR) + "/" + kEngineFile;
  if (IsFile(installed)) return installed;
  g_set_error(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND,
              "The talkface engine is in neither '%s' nor '%s'; reinstall talkface, or set "
              "TALKFACE_ENGINE to the engine's file.",
              beside.c_str(), installed.c_str());
  return "";
}

// Says why dlopen refused `path`.
void ExplainFailure(const std::string& path, const char* reason, GError** error) {
  if (strstr(reason, "cannot open shared object") != nullptr) {
    g_set_error(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND,
                "The talkface engine '%s' lacks a library: %s. Reinstall talkface, or run "
                "scripts/setup.sh where you built it.",
                path.c_str(), reason);
  } else {
    g_set_error(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ,
                "The talkface engine '%s' cannot be loaded: %s. Reinstall talkface.", path.c_str(),
                reason);
  }
}

bool OpenLibrary(const std::string& path, EngineLibrary* library, GError** error) {
  // Local: the process may hold other copies of what the engine links. Never closed: what it opens
  // itself, such as libtorch, cannot be unloaded.
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (handle == nullptr) {
    ExplainFailure(path, dlerror(), error);
    return false;
  }
  library->open = reinterpret_cast<decltype(library->open)>(dlsym(handle, "talkface_engine_open"));
  library->list_packs =
      reinterpret_cast<decltype(library->list_packs)>(dlsym(handle, "talkface_engine_list_packs"));
  if (library->open == nullptr || library->list_packs == nullptr) {
    g_set_error(error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT,
                "'%s' is not a talkface engine: it has no talkface_engine_open; correct "
                "TALKFACE_ENGINE, or reinstall talkface.",
                path.c_str());
    dlclose(handle);
    return false;
  }
  GST_INFO("engine: %s", path.c_str());
  return true;
}

}  // namespace

const EngineLibrary* LoadEngine(GError** error) {
  static std::mutex mutex;  // guards the two below
  static EngineLibrary library;
  static bool loaded = false;

  std::lock_guard<std::mutex> lock(mutex);
  GST_DEBUG_CATEGORY_INIT(talkface_engine_debug, "talkfaceengine", 0, "talkface engine loader");
  if (loaded) return &library;
  const std::string path = FindEngine(error);
  if (path.empty()) return nullptr;
  loaded = OpenLibrary(path, &library, error);
  return loaded ? &library : nullptr;
}

}  // namespace talkface
