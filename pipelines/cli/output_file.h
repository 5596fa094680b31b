// SPDX-License-Identifier: MIT
// The file that a render writes: its type, and its life under a temporary name.
#pragma once

#include <string>

namespace talkface::cli {

struct Encoder {
  const char* element;
  const char* settings;   // "name=value ...", for gst_parse
  int delay_samples = 0;  // by which an encoder of sound is late without saying so
  const char* caps = "";  // ",name=value ...": what it wants of its input
};

// What belongs to one file name extension.
struct FileType {
  const char* extension;  // ".mp4"
  const char* muxer;
  Encoder video, audio;
};

// The type of `path` by its extension, capital letters or small; throws Error with those known.
const FileType& FileTypeOf(const std::string& path);

// The output is written to `path`.part and renamed when it is complete: what stood there before
// is replaced at once or not at all, and a failure leaves nothing behind.
class OutputFile {
 public:
  explicit OutputFile(const std::string& path);  // throws Error when it cannot be written
  ~OutputFile();                                 // removes the part unless Keep was called
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  void Keep();             // throws Error
  void Remove() noexcept;  // async-signal-safe
  const std::string& part() const { return part_; }

 private:
  std::string path_, part_;
  bool exists_ = false;
};

}  // namespace talkface::cli
