// SPDX-License-Identifier: MIT
#include "models/training/checkpoint/pack_export.h"

#include "models/core/error.h"
#include "models/core/pack.h"
#include "models/training/checkpoint/checkpoint_writer.h"

namespace talkface::checkpoint {

size_t ExportPack(const std::string& model, const std::string& file) {
  const auto pack = Pack::Open(model, "");
  std::map<std::string, TensorSource> tensors;
  for (const auto& [file_name, part] : pack->files()) {
    for (const auto& [name, view] : part->tensors()) {
      if (!tensors.emplace(name, TensorSource{view.dtype, view.shape, view.data}).second)
        throw Error(Code::kInvalid, pack->folder() + ": " + name + " is in two of its files.");
    }
  }
  WriteCheckpoint(file, tensors);
  return tensors.size();
}

}  // namespace talkface::checkpoint
