# SPDX-License-Identifier: MIT
"""The smaller commands of the tool: models, devices, inspect-image, prepare."""
import os
import re
import struct

import support
from support import DATA, data_files, talkface

SAMPLE_CLIP = DATA / "grid/speakers/lbax4n.mpg"
SILENT_CLIP = DATA / "cases/onlyvideo.mp4"


class ListTest(support.ToolTest):
    def test_version_and_help(self):
        self.assertRegex(talkface("--version").stdout, r"^talkface \d+\.\d+\.\d+\n$")
        help_text = self.assert_works(talkface("--help")).stdout
        for command in ("render", "inspect-image", "models", "devices", "prepare"):
            self.assertIn(command, help_text)
            self.assertIn("--help", self.assert_works(talkface(command, "--help")).stdout)

    def test_wrong_command_lines(self):
        for arguments in ((), ("sing",), ("render",), ("render", "--imago", "x")):
            result = talkface(*arguments)
            self.assertEqual(result.returncode, 2)
            self.assertIn("talkface --help", result.stderr)

    def test_devices(self):
        lines = self.assert_works(talkface("devices")).stdout.splitlines()
        self.assertRegex(lines[0], rf"^cpu .*, {os.cpu_count()} cores?$")

    def test_models_with_licence_folder_and_error(self):
        good = support.write_fake_pack(self.folder / "good")
        bad = support.write_fake_pack(self.folder / "bad", delay_ms="soon")
        (bad / "manifest.json").write_text("{", encoding="utf-8")
        result = self.assert_works(talkface("models", env={"TALKFACE_MODEL_PATH": str(self.folder)}))
        self.assertRegex(result.stdout, rf"(?m)^fake +1 +fake +MIT +{re.escape(str(good))}$")
        self.assertIn(str(bad / "manifest.json"), result.stdout)
        self.assertIn("cannot be used", result.stdout)

    def test_engine_missing(self):
        result = talkface("models", env={"TALKFACE_ENGINE": "/nowhere/engine.so"})
        self.assert_fails(result, "/nowhere/engine.so", "TALKFACE_ENGINE")


class InspectTest(support.ToolTest):
    def test_marks_the_face(self):
        image = support.write_png(self.folder / "portrait.png", 200, 300)
        marked = self.folder / "marked.png"
        result = self.assert_works(talkface("inspect-image", image, "--output", marked, "-m", "fake"))
        self.assertIn("score    1.00", result.stdout)
        self.assertEqual(struct.unpack(">II", marked.read_bytes()[16:24]), (200, 300))
        self.assertNotEqual(marked.read_bytes(), image.read_bytes())

    def test_errors(self):
        image = support.write_png(self.folder / "portrait.png")
        nowhere = self.folder / "nowhere.png"
        self.assert_fails(talkface("inspect-image", nowhere, "-m", "fake"), nowhere)
        output = self.folder / "no/folder.png"
        self.assert_fails(talkface("inspect-image", image, "-m", "fake", "-o", output), output)
        blind = support.write_fake_pack(self.folder / "blind", fail_enrol=True)
        self.assert_fails(talkface("inspect-image", image, "-m", blind), "no face")


class PrepareTest(support.ToolTest):
    def prepare(self, *clips):
        return talkface("prepare", "-m", "fake", "-o", self.folder / "out", "--speaker", "file", *clips)

    def test_writes_a_clip_once(self):
        result = self.assert_works(self.prepare(SAMPLE_CLIP))
        self.assertIn("1 clips prepared, 0 there already, 0 left out", result.stdout)
        clip = self.folder / "out/lbax4n_lbax4n.safetensors"
        header = clip.read_bytes()[8:8 + struct.unpack("<Q", clip.read_bytes()[:8])[0]]
        for name in (b"landmarks", b"times", b"audio", b"mel", b"shape", b"units"):
            self.assertIn(b'"' + name + b'"', header)
        written = clip.stat().st_mtime_ns
        self.assertIn("1 there already", self.assert_works(self.prepare(SAMPLE_CLIP)).stdout)
        self.assertEqual(clip.stat().st_mtime_ns, written)

    def test_every_clip(self):
        clips = data_files("grid/s1/video") + data_files("grid/speakers")
        result = self.assert_works(self.prepare(*clips))
        self.assertIn(f"{len(clips)} clips prepared, 0 there already, 0 left out", result.stdout)

    def test_takes_times_from_the_streams(self):
        """The clip's system clock jumps by 0.2 s in its middle; picture and sound go on without."""
        self.assert_works(self.prepare(SAMPLE_CLIP))
        clip = (self.folder / "out/lbax4n_lbax4n.safetensors").read_bytes()
        self.assertIn(b'"fps":"25.000000"', clip)
        sound, output = self.folder / "clip.mpg", self.folder / "talking.mp4"
        sound.symlink_to(SAMPLE_CLIP)
        image = support.write_png(self.folder / "portrait.png")
        self.assert_works(talkface("render", "-m", "fake", "-i", image, "-a", sound, "-o", output))
        self.assertEqual(support.video_frames(output), 75)

    def test_leaves_out_what_cannot_be_used(self):
        text = self.folder / "text.mpg"
        text.write_text("no video", encoding="utf-8")
        result = self.assert_works(self.prepare(SAMPLE_CLIP, SILENT_CLIP, text))
        self.assertIn("1 clips prepared, 0 there already, 2 left out", result.stdout)
        self.assertIn(f"left out {SILENT_CLIP}: it has no sound", result.stderr)
        self.assertIn(f"left out {text}", result.stderr)
        self.assertEqual(self.prepare(text).returncode, 1)
        self.assert_fails(self.prepare(self.folder / "nowhere.mpg"), "nowhere.mpg")


if __name__ == "__main__":
    support.main()
