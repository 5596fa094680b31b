// SPDX-License-Identifier: MIT
// talkface-train: makes the weights of talkface's packs.
//   talkface prepare --output clips VIDEO...        (landmarks, measures and sound of each clip)
//   talkface-train speech --data clips --output models/packs/auwarp
//   talkface-train import mftfg --checkpoint FILE... --output PACK       (docs/mftfg-import.md)
//   talkface-train export --model PACK --output FILE.pt
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <set>

#include "models/core/error.h"
#include "models/families/auwarp/speech/speech_run.h"
#include "models/training/checkpoint/checkpoint_commands.h"
#include "models/training/speech/speech_pack.h"
#include "models/training/speech/speech_phones.h"
#include "models/training/speech/speech_trainer.h"

namespace talkface::training {
namespace {

struct Arguments {
  std::string data, phones, output, folds_output, command;
  SpeechTraining training;
  int folds = 0;
  TestChoice test;
  bool score_only = false;
};

// Measures prepared clips again from their own sound and landmarks, after a change of the measures.
void Remeasure(const std::string& folder) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".safetensors") continue;
    auwarp::PreparedClip clip = auwarp::ReadPreparedClip(entry.path().string());
    auwarp::CompletePreparedClip(&clip);
    auwarp::WritePreparedClip(entry.path().string(), clip);
    ++count;
  }
  std::fprintf(stderr, "%d clips measured again\n", count);
}

// Speakers that have no test clips, dealt out to `folds` groups: a net that has not heard a group
// is scored on it.
std::vector<std::vector<std::string>> FoldSpeakers(const std::vector<TrainingClip>& clips,
                                                   int folds) {
  std::set<std::string> tested, all;
  for (const TrainingClip& clip : clips) {
    if (clip.times.empty()) continue;
    all.insert(clip.speaker);
    if (clip.test) tested.insert(clip.speaker);
  }
  std::vector<std::vector<std::string>> groups(static_cast<size_t>(folds));
  size_t next = 0;
  for (const std::string& speaker : all)
    if (tested.count(speaker) == 0) groups[next++ % groups.size()].push_back(speaker);
  return groups;
}

void PrintScore(const char* what, const MeanScore& score) {
  std::fprintf(stderr,
               "%s: %d clips, opening %.3f (worst %.2f), width %.3f, %d of %d closures shut\n",
               what, score.clips, score.opening.back(), score.worst_opening, score.width.back(),
               score.closed, score.closures);
  for (int d = 0; d < auwarp::kDelays; ++d)
    std::fprintf(stderr, "  look-ahead %d ms: opening %.3f, width %.3f\n", auwarp::LookAheadMs(d),
                 score.opening[d], score.width[d]);
}

// Trains, or takes the weights that are there.
std::shared_ptr<const auwarp::SpeechNet> MakeNet(const std::vector<TrainingClip>& clips,
                                                 const Arguments& arguments,
                                                 const SpeechTraining& training,
                                                 const std::string& weights) {
  if (arguments.score_only) return auwarp::SpeechNet::Load(SafeTensors::Open(weights));
  return TrainSpeech(clips, training, weights);
}

bool IsOneOf(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

void ScoreFolds(const std::vector<TrainingClip>& clips, const Arguments& arguments,
                SpeechFigures* figures) {
  std::vector<ClipScore> scores;
  int fold = 0;
  for (const auto& group : FoldSpeakers(clips, arguments.folds)) {
    std::string names;
    for (const std::string& speaker : group) names += " " + speaker;
    std::fprintf(stderr, "fold %d of %d, without%s\n", ++fold, arguments.folds, names.c_str());
    SpeechTraining training = arguments.training;
    training.held_out = group;
    training.checkpoint = "";
    const std::string folder = arguments.folds_output + "/fold-" + std::to_string(fold);
    std::filesystem::create_directories(folder);
    const auto net = MakeNet(clips, arguments, training, folder + "/speech.safetensors");
    SpeechFigures own;
    own.command = arguments.command + "  (fold without" + names + ")";
    WriteSpeechPack(folder, own);
    for (const TrainingClip& clip : clips) {
      if (!IsOneOf(group, clip.speaker)) continue;
      scores.push_back(ScoreClip(net, clip));
      char line[160];
      std::snprintf(line, sizeof line, "%s, %s | %.2f | %.2f", clip.speaker.c_str(),
                    clip.name.c_str(), scores.back().opening.back(), scores.back().width.back());
      std::fprintf(stderr, "  %s\n", line);
      figures->fold_clips.push_back(line);
    }
  }
  figures->folds = Mean(scores);
  PrintScore("speakers never heard", figures->folds);
}

void TrainPack(const Arguments& arguments) {
  std::filesystem::create_directories(arguments.output);
  std::vector<TrainingClip> clips = ReadTrainingClips(arguments.data, arguments.test);
  if (!arguments.phones.empty()) ReadPhones(arguments.phones, &clips);
  SpeechFigures figures;
  figures.command = arguments.command;
  std::map<std::string, int> counts;
  for (const TrainingClip& clip : clips) {
    if (clip.times.empty()) continue;
    if (clip.test) figures.test_clips.push_back(clip.speaker + " " + clip.name);
    if (!clip.test && !IsOneOf(arguments.training.held_out, clip.speaker)) ++counts[clip.speaker];
  }
  for (const auto& [speaker, count] : counts)
    figures.speakers.push_back(speaker + " (" + std::to_string(count) + ")");
  if (arguments.folds > 0) ScoreFolds(clips, arguments, &figures);
  const auto net =
      MakeNet(clips, arguments, arguments.training, arguments.output + "/speech.safetensors");
  std::vector<ClipScore> test, held_out;
  for (const TrainingClip& clip : clips) {
    if (clip.test) test.push_back(ScoreClip(net, clip));
    if (IsOneOf(arguments.training.held_out, clip.speaker) && !clip.times.empty())
      held_out.push_back(ScoreClip(net, clip));
  }
  figures.test = Mean(test);
  PrintScore("test clips", figures.test);
  if (!held_out.empty()) PrintScore("speakers held out", Mean(held_out));
  WriteSpeechPack(arguments.output, figures);
}

void AddSpeechOptions(CLI::App* app, Arguments* arguments) {
  SpeechTraining& training = arguments->training;
  app->add_option("--data", arguments->data, "folder of prepared clips")->required();
  app->add_option("--phones", arguments->phones,
                  "folder of sounds with known phonemes, made by scripts/make_training_speech.py");
  app->add_option(
         "--voice", training.voice,
         "silero_vad_16k.safetensors of PyPI's silero-vad: put into the pack, so that only "
         "voices move the mouth")
      ->check(CLI::ExistingFile);
  app->add_option("--output", arguments->output, "pack folder to write")->required();
  app->add_option("--iterations", training.iterations, "batches to train on")
      ->check(CLI::Range(1, 1000000));
  app->add_option("--batch", training.batch, "sequences in a batch")->check(CLI::Range(1, 1024));
  app->add_option("--steps", training.steps, "steps of 20 ms in a sequence")
      ->check(CLI::Range(20, 100000));
  app->add_option("--rate", training.rate, "learning rate")->check(CLI::Range(1e-7, 1.0));
  app->add_option("--members", training.members,
                  "nets to train, from seeds that follow one another; their answers are averaged")
      ->check(CLI::Range(1, 16));
  app->add_option("--channels", training.channels, "of the convolutions")
      ->check(CLI::Range(4, 1024));
  app->add_option("--hidden", training.hidden, "units of the GRU")->check(CLI::Range(4, 1024));
  app->add_option("--seed", training.seed, "of weights and of what is drawn at random");
  app->add_option("--hold-out", training.held_out, "speakers to leave out and to score")
      ->delimiter(',');
  app->add_option("--test-every", arguments->test.every,
                  "set every N-th clip of speakers with 20 clips or more aside; 0: none")
      ->check(CLI::Range(0, 1000));
  app->add_flag("--score-only", arguments->score_only,
                "train nothing: score the weights that are there, and write their card anew");
  app->add_flag("--validate", arguments->test.validate,
                "score clips between those that are set aside, which are left out whole: for "
                "choosing between nets");
  auto* folds = app->add_option("--folds", arguments->folds,
                                "first train this many nets that each leave a share of the small "
                                "speakers out, for figures on speakers never heard")
                    ->check(CLI::Range(0, 100));
  app->add_option("--folds-output", arguments->folds_output, "folder for the packs of the folds")
      ->needs(folds);
  auto* checkpoint =
      app->add_option("--checkpoint", training.checkpoint,
                      "file to keep the state in; -1, -2 ... are added for the members");
  app->add_flag("--resume", training.resume, "go on from the checkpoint")->needs(checkpoint);
  app->add_option("--threads", training.threads, "of libtorch")->check(CLI::Range(1, 256));
}

int Main(int argc, char** argv) {
  CLI::App app("Makes the weights of talkface's packs: trains, imports and exports them.",
               "talkface-train");
  app.require_subcommand(1);
  Arguments arguments;
  arguments.command = "talkface-train";
  for (int i = 1; i < argc; ++i)
    if (std::string(argv[i]) != "--score-only") arguments.command += std::string(" ") + argv[i];
  CLI::App* speech = app.add_subcommand("speech", "trains the speech net of the auwarp family");
  AddSpeechOptions(speech, &arguments);
  CLI::App* remeasure = app.add_subcommand(
      "remeasure", "measures prepared clips again from their sound and landmarks");
  remeasure->add_option("--data", arguments.data, "folder of prepared clips")->required();
  checkpoint::AddCheckpointCommands(&app);
  try {
    app.parse(argc, argv);
    if (arguments.folds > 0 && arguments.folds_output.empty())
      arguments.folds_output = arguments.output + "-folds";
    if (*remeasure) Remeasure(arguments.data);
    if (*speech) TrainPack(arguments);
  } catch (const CLI::Error& error) {
    return app.exit(error);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "talkface-train: %s\n", error.what());
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace talkface::training

int main(int argc, char** argv) { return talkface::training::Main(argc, argv); }
