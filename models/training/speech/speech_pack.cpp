// SPDX-License-Identifier: MIT
#include "models/training/speech/speech_pack.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "models/core/error.h"
#include "models/core/pack.h"
#include "models/families/auwarp/speech/speech_run.h"
#include "models/families/auwarp/speech/speech_stream.h"

namespace talkface::training {
namespace {

using nlohmann::json;

constexpr int kLookBehindMs = 3000;  // the running mean's memory; the net's own is shorter

std::ofstream Create(const std::string& path) {
  std::ofstream out(path);
  if (!out) throw Error(Code::kFailed, path + ": cannot be written; is the folder there?");
  return out;
}

void Close(std::ofstream* out, const std::string& path) {
  out->close();
  if (!*out) throw Error(Code::kFailed, path + ": could not be written whole; is the disk full?");
}

// The manifest that is there already, whose other parts stay as they are.
json ManifestBefore(const std::string& path) {
  if (!std::filesystem::exists(path)) return json::object();
  json manifest = ReadManifest(path);
  if (const JsonField files = JsonField(path, manifest).At("files"); files.Exists()) files.Fields();
  return manifest;
}

// A text of the manifest, `text` where it has none.
std::string TextBefore(const std::string& path, const json& manifest, const char* field,
                       const char* text) {
  const JsonField found = JsonField(path, manifest).At(field);
  return found.Exists() ? found.NonEmptyText() : text;
}

std::string Line(const char* format, double a, double b) {
  char text[200];
  std::snprintf(text, sizeof text, format, a, b);
  return text;
}

std::string Closures(const MeanScore& score) {
  if (score.closures == 0) return "";
  return "\nClosed: " + std::to_string(score.closed) + " of " + std::to_string(score.closures) +
         " p, b and m.\n";
}

std::string DelayTable(const MeanScore& score) {
  std::string text = "| look-ahead | opening | width |\n|---|---|---|\n";
  for (int d = 0; d < auwarp::kDelays; ++d) {
    text += "| " + std::to_string(auwarp::LookAheadMs(d)) + " ms ";
    text += Line("| %.3f | %.3f |\n", score.opening[d], score.width[d]);
  }
  return text;
}

void WriteCard(const std::string& path, const SpeechFigures& figures) {
  std::ofstream out = Create(path);
  out << "# auwarp\n\nThe embedded default pack. `speech.safetensors` holds the speech net "
         "(`models/families/auwarp/speech/speech_net.h`): 16 kHz speech to four\nmouth-shape "
         "coefficients and "
         "action units 10, 14, 18, 20, 25 and 26, every 20 ms, and to the kind of sound, which "
         "closes the\nlips at p, b and m. Licence: MIT. With it come the weights of silero-vad "
         "6.2.3 "
         "(tensors `voice.*`; MIT, Silero Team;\nTHIRD_PARTY.md), which keep the mouth at rest "
         "where nobody speaks.\n\n"
         "## Data\nGRID audiovisual sentence corpus (Zenodo record 3625687, CC BY 4.0: Cooke, "
         "Barker, Cunningham and Shao, 2006) and\nWhite House weekly addresses (US government, "
         "public domain), landmarks by MediaPipe's face mesh. Sounds without a\npicture "
         "(`scripts/make_training_speech.py`): our own sentences spoken by espeak-ng and flite, "
         "for "
         "the kinds of sounds;\nmusic of random notes played by fluidsynth with the FluidR3 "
         "instruments (MIT), and generated noises, for rest. The words\nof GRID clips were aligned "
         "by "
         "pocketsphinx. Clips whose picture is more than 45 ms off its sound were moved by "
         "what\nwas "
         "measured, before training and scoring alike.\n\nSpeakers (clips trained on): ";
  for (size_t i = 0; i < figures.speakers.size(); ++i)
    out << (i > 0 ? ", " : "") << figures.speakers[i];
  out << ".\n\n## Command\n```\n"
      << figures.command << "\n```\n\n## Figures\n"
      << "Mean correlation of the motion with the measured one at the video's frames, a clip at a "
         "time. A p, b or m is closed where the\nopening falls to 35 % of the clip's 95th "
         "percentile "
         "within it and 20 ms around it. The voice gate's times and what the kind of\n"
         "sound adds were set with these clips in view; the net's weights were not "
         "(docs/training.md).\n";
  if (figures.test.clips > 0) {
    out << "\n**Clips never trained on, of a speaker trained on** (" << figures.test.clips
        << " clips; worst opening" << Line(" %.2f", figures.test.worst_opening, 0) << "):\n\n"
        << DelayTable(figures.test) << Closures(figures.test);
  }
  if (figures.folds.clips > 0) {
    out << "\n**Speakers never heard** (" << figures.folds.clips
        << " clips, each by a net trained without its speaker; worst opening"
        << Line(" %.2f", figures.folds.worst_opening, 0) << "):\n\n"
        << DelayTable(figures.folds) << Closures(figures.folds)
        << "\n| speaker, clip | opening | width |\n|---|---|---|\n";
    for (const std::string& clip : figures.fold_clips) out << "| " << clip << " |\n";
  }
  if (!figures.test_clips.empty()) {
    out << "\n## Clips never trained on\n";
    for (size_t i = 0; i < figures.test_clips.size(); ++i)
      out << (i > 0 ? ", " : "") << figures.test_clips[i];
    out << "\n";
  }
  out << "\n## Limits\nThe net has seen few faces, all speaking English and close to frontal; "
         "speakers differ in how they move their mouths, and width is\nfollowed only roughly for "
         "a new voice. Singing counts as speech.\n";
  Close(&out, path);
}

}  // namespace

void WriteSpeechPack(const std::string& folder, const SpeechFigures& figures) {
  const std::string path = folder + "/manifest.json";
  json manifest = ManifestBefore(path);
  manifest["schema"] = 1;
  manifest["name"] = TextBefore(path, manifest, "name", "auwarp");
  manifest["family"] = "auwarp";
  manifest["version"] = TextBefore(path, manifest, "version", "0.1.0");
  manifest["licence"] = "MIT";
  manifest["timing"] = {{"sample_rate_hz", speech::kSpeechRateHz},
                        {"hop_samples", auwarp::kStepSamples},
                        {"look_behind_ms", kLookBehindMs},
                        {"look_ahead_min_ms", auwarp::kLookAheadMinMs},
                        {"look_ahead_default_ms", auwarp::kLookAheadMaxMs},
                        {"look_ahead_max_ms", auwarp::kLookAheadMaxMs}};
  manifest["files"]["speech"] = {{"file", "speech.safetensors"},
                                 {"sha256", FileSha256(folder + "/speech.safetensors")}};
  std::ofstream out = Create(path);
  out << manifest.dump(2) << "\n";
  Close(&out, path);
  WriteCard(folder + "/MODEL_CARD.md", figures);
}

}  // namespace talkface::training
