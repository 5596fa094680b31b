// SPDX-License-Identifier: MIT
// soak [--cycles=N] [--hours=H] [--model=PACK] [--image=FILE]: does memory grow? Plays and stops a
// pipeline N times, and plays H hours of speech as fast as it goes; prints the resident memory as
// it goes on, and its slope over the second half, which should be nothing. Exit status 1: it grows
// by more than 1 kB a cycle, or 1 MB an hour.
#include <gst/gst.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <vector>

#include "tests/bench/options.h"

namespace {

double ResidentKb() {
  long pages = 0, resident = 0;
  FILE* file = std::fopen("/proc/self/statm", "r");
  const bool read = file != nullptr && std::fscanf(file, "%ld %ld", &pages, &resident) == 2;
  if (file != nullptr) std::fclose(file);
  return read ? static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1024
              : 0;
}

struct Sample {
  double at, kb;
};

// Least squares over the second half: kB per unit of `at`.
double Slope(const std::vector<Sample>& samples) {
  double n = 0, at = 0, kb = 0, product = 0, square = 0;
  for (size_t i = samples.size() / 2; i < samples.size(); ++i) {
    n += 1;
    at += samples[i].at;
    kb += samples[i].kb;
    product += samples[i].at * samples[i].kb;
    square += samples[i].at * samples[i].at;
  }
  const double spread = n * square - at * at;
  return spread > 0 ? (n * product - at * kb) / spread : 0;
}

struct Options {
  std::string face;  // the element with its properties
  int cycles = 2000;
  double hours = 8;
};

[[noreturn]] void Die(const char* text) {
  std::fprintf(stderr, "soak: %s\n", text);
  std::exit(2);
}

GstElement* MakePipeline(const Options& options, double seconds) {
  const std::string description = "audiotestsrc wave=pink-noise samplesperbuffer=320 num-buffers=" +
                                  std::to_string(static_cast<long>(seconds * 50)) +
                                  " ! audio/x-raw,rate=16000,channels=1 ! " + options.face +
                                  " ! fakesink name=sink sync=false";
  GError* error = nullptr;
  GstElement* pipeline = gst_parse_launch(description.c_str(), &error);
  if (error != nullptr) Die(error->message);
  return pipeline;
}

// The next end or error; false when `wait` has passed without.
bool Ended(GstElement* pipeline, GstClockTime wait) {
  GstBus* bus = gst_element_get_bus(pipeline);
  GstMessage* message = gst_bus_timed_pop_filtered(
      bus, wait, static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR));
  gst_object_unref(bus);
  if (message == nullptr) return false;
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
    GError* error = nullptr;
    gst_message_parse_error(message, &error, nullptr);
    Die(error->message);
  }
  gst_message_unref(message);
  return true;
}

double PlayCycles(const Options& options) {
  GstElement* pipeline = MakePipeline(options, 0.2);
  std::vector<Sample> samples;
  for (int cycle = 1; cycle <= options.cycles; ++cycle) {
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    Ended(pipeline, GST_CLOCK_TIME_NONE);
    gst_element_set_state(pipeline, GST_STATE_NULL);
    samples.push_back({static_cast<double>(cycle), ResidentKb()});
    if (cycle % (options.cycles / 10 + 1) == 0)
      std::printf("  cycle %5d: %8.0f kB\n", cycle, samples.back().kb);
  }
  gst_object_unref(pipeline);
  return Slope(samples);
}

double PlayHours(const Options& options) {
  GstElement* pipeline = MakePipeline(options, options.hours * 3600);
  std::vector<Sample> samples;
  double next = options.hours / 10;
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  while (!Ended(pipeline, 50 * GST_MSECOND)) {
    gint64 position = 0;
    if (!gst_element_query_position(pipeline, GST_FORMAT_TIME, &position)) continue;
    const double hour = static_cast<double>(position) / (3600.0 * GST_SECOND);
    samples.push_back({hour, ResidentKb()});
    if (hour < next) continue;
    next += options.hours / 10;
    std::printf("  hour %5.2f: %8.0f kB\n", hour, samples.back().kb);
  }
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(pipeline);
  return Slope(samples);
}

Options Parse(int* argc, char*** argv) {
  Options options;
  char *model = nullptr, *image = nullptr;
  const GOptionEntry entries[] = {
      {"cycles", 0, 0, G_OPTION_ARG_INT, &options.cycles, "play and stop so often", "N"},
      {"hours", 0, 0, G_OPTION_ARG_DOUBLE, &options.hours, "hours of speech", "H"},
      {"model", 0, 0, G_OPTION_ARG_STRING, &model, "pack (default: fake)", "PACK"},
      {"image", 0, 0, G_OPTION_ARG_FILENAME, &image, "portrait", "FILE"},
      {nullptr, 0, 0, G_OPTION_ARG_NONE, nullptr, nullptr, nullptr}};
  talkface::bench::ParseOptions(entries, argc, argv);
  if (image == nullptr) Die("--image=FILE is needed");
  options.face = std::string("talkfacegen model=") + (model != nullptr ? model : "fake") +
                 " identity-image=\"" + image + "\" ! video/x-raw,width=64,height=64";
  g_free(model);
  g_free(image);
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  const Options options = Parse(&argc, &argv);
  bool grows = false;
  if (options.cycles > 0) {
    const double slope = PlayCycles(options);
    grows = grows || slope > 1;
    std::printf("%d cycles: %+.3f kB a cycle\n", options.cycles, slope);
  }
  if (options.hours > 0) {
    const double slope = PlayHours(options);
    grows = grows || slope > 1024;
    std::printf("%g hours: %+.1f kB an hour\n", options.hours, slope);
  }
  return grows ? 1 : 0;
}
