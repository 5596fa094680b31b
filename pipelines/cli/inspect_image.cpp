// SPDX-License-Identifier: MIT
// talkface inspect-image: shows what talkface sees in a portrait.
#include <gdk-pixbuf/gdk-pixbuf.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>

#include "pipelines/cli/canvas.h"
#include "pipelines/cli/command.h"
#include "pipelines/cli/engine.h"

namespace talkface::cli {
namespace {

struct InspectOptions {
  std::string image, output, model = "auwarp";
};

constexpr Color kGreen{60, 230, 90}, kYellow{255, 214, 0};

void Mark(const FaceInfo& face, RgbaImage* image) {
  Canvas canvas(image);
  const float side = static_cast<float>(std::max(image->width, image->height));
  const int line = std::max(1, static_cast<int>(side / 512));
  canvas.Frame({face.box[0], face.box[1], face.box[2], face.box[3]}, line, kYellow);
  for (uint32_t i = 0; i < face.landmark_count; ++i)
    canvas.Dot(face.landmarks[i][0], face.landmarks[i][1], 2 * line, kGreen);
  char text[300];
  snprintf(text, sizeof text, "score %.2f  faces %u\nyaw %.0f  pitch %.0f  roll %.0f%s%s",
           face.score, face.faces, face.yaw_deg, face.pitch_deg, face.roll_deg,
           face.warning[0] != '\0' ? "\n" : "", face.warning);
  canvas.Text(text, /*letter_px=*/side / 60, kYellow);
}

void WritePng(const RgbaImage& image, const std::string& path) {
  GdkPixbuf* pixbuf = gdk_pixbuf_new_from_data(
      image.data.data(), GDK_COLORSPACE_RGB, /*has_alpha=*/TRUE, 8, static_cast<int>(image.width),
      static_cast<int>(image.height), static_cast<int>(image.width * 4), nullptr, nullptr);
  GError* error = nullptr;
  gdk_pixbuf_save(pixbuf, path.c_str(), "png", &error, nullptr);
  g_object_unref(pixbuf);
  if (error == nullptr) return;
  const std::string message = "cannot write '" + path + "': " + error->message;
  g_error_free(error);
  throw Error(message);
}

int RunInspectImage(const InspectOptions& options) {
  RgbaImage image = ReadImage(options.image);
  const OpenedEngine engine(options.model, "cpu");
  FaceInfo face;
  const Pixels pixels{image.data.data(), image.width, image.height, size_t{4} * image.width};
  ThrowUnlessOk(engine->FindFace(pixels, /*previous=*/nullptr, &face));
  printf("%s: %u x %u\n", options.image.c_str(), image.width, image.height);
  printf("faces    %u\nscore    %.2f\nbox      x %.0f, y %.0f, %.0f x %.0f\n", face.faces,
         face.score, face.box[0], face.box[1], face.box[2], face.box[3]);
  printf("turned   yaw %.1f, pitch %.1f, roll %.1f degrees\n", face.yaw_deg, face.pitch_deg,
         face.roll_deg);
  if (face.warning[0] != '\0') printf("warning  %s\n", face.warning);
  if (options.output.empty()) return 0;
  Mark(face, &image);
  WritePng(image, options.output);
  printf("marked   %s\n", options.output.c_str());
  return 0;
}

}  // namespace

void AddInspectImage(CLI::App* app, Command* chosen) {
  auto options = std::make_shared<InspectOptions>();
  CLI::App* sub =
      app->add_subcommand("inspect-image", "Show the face that talkface finds in a picture");
  sub->add_option("image", options->image, "The picture: JPEG, PNG or WebP")->required();
  sub->add_option("-o,--output", options->output,
                  "PNG file to write with landmarks, box and angles drawn");
  sub->add_option("-m,--model", options->model, "Model pack: name or folder")
      ->capture_default_str();
  sub->callback([options, chosen] { *chosen = [options] { return RunInspectImage(*options); }; });
}

}  // namespace talkface::cli
