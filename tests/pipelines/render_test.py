# SPDX-License-Identifier: MIT
"""talkface render, with the fake family: frames, file types, endings and errors."""
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import support
from support import talkface

RATES = ["24000/1001", "25", "30000/1001", "50", "60"]


class RenderTest(support.ToolTest):
    def setUp(self):
        super().setUp()
        self.image = support.write_png(self.folder / "portrait.png")
        self.speech = support.write_wav(self.folder / "speech.wav", support.tone(16000))
        self.output = self.folder / "talking.mp4"

    def render(self, *more, image=None, audio=None, output=None, model="fake", **options):
        return talkface("render", "--image", image or self.image, "--audio", audio or self.speech,
                        "--output", output or self.output, "--model", model, *more, **options)

    def assert_nothing_written(self):
        left = {p.name for p in self.folder.iterdir()} - {"portrait.png", "speech.wav"}
        self.assertEqual(left, set())

    def test_frames_are_exact_at_every_rate(self):
        for count in (1, 16000, 20123):
            audio = support.write_wav(self.folder / f"{count}.wav", support.tone(count))
            for fps in RATES:
                with self.subTest(samples=count, fps=fps):
                    self.assert_works(self.render("--fps", fps, audio=audio))
                    video = support.probe(self.output)["video"]
                    self.assertEqual(int(video["nb_read_frames"]),
                                     support.frames_due(count, 16000, fps))

    def test_size_and_summary(self):
        result = self.assert_works(self.render("--size", "320x180", "--fps", "50"))
        video = support.probe(self.output)["video"]
        self.assertEqual((video["width"], video["height"]), (320, 180))
        self.assertRegex(result.stdout, r"talking\.mp4: 50 frames, 1\.00 s of video in .* x real time")

    def test_file_types(self):
        for name, codecs in {"a.mp4": ("h264", "aac"), "a.MKV": ("h264", "aac"),
                             "a.webm": ("vp8", "opus")}.items():
            with self.subTest(name=name):
                path = self.folder / name
                self.assert_works(self.render(output=path))
                found = support.probe(path)
                self.assertEqual((found["video"]["codec_name"], found["audio"]["codec_name"]), codecs)
                self.assertEqual(int(found["video"]["nb_read_frames"]), 25)
                tags = str(found["format"]["tags"])
                self.assertIn("trainedAlgorithmicMedia", tags)

    def test_sound_starts_where_it_did(self):
        silence = [0.0] * 8000
        audio = support.write_wav(self.folder / "onset.wav", silence + support.tone(8000))
        for name in ("a.mp4", "a.mkv", "a.webm"):
            with self.subTest(name=name):
                path = self.folder / name
                self.assert_works(self.render(audio=audio, output=path))
                raw = subprocess.run(["ffmpeg", "-v", "error", "-i", path, "-f", "s16le", "-ac", "1",
                                      "-ar", "16000", "-"], check=True, capture_output=True).stdout
                samples = memoryview(raw).cast("h")
                onset = next(i for i, s in enumerate(samples) if abs(s) > 3000) / 16000
                self.assertAlmostEqual(onset, 0.5, delta=0.03)

    def test_properties(self):
        self.assert_works(self.render("--set", "idle-motion=false", "--set", "seed=7"))
        self.assert_fails(self.render("--set", "smile=1"), "smile", "idle-motion")
        self.assert_fails(self.render("--set", "expression-gain=9"), "expression-gain", "9")
        self.assert_fails(self.render("--set", "label"), "PROPERTY=VALUE")

    def test_wrong_values(self):
        output = self.folder / "talking.avi"
        self.assert_fails(self.render(output=output), output, ".mp4, .mkv or .webm")
        for size in ("63x64", "0x0", "10000x10000", "big", "64x64x"):
            self.assert_fails(self.render("--size", size), size, "1280x720")
        for fps in ("0", "121", "25/0", "x", "-25", "1/2"):
            self.assert_fails(self.render(f"--fps={fps}"), fps, "30000/1001")
        self.assert_fails(self.render(model="nobody"), "nobody")
        self.assert_nothing_written()

    def test_missing_and_broken_files(self):
        nowhere = self.folder / "nowhere"
        self.assert_fails(self.render(image=nowhere), nowhere, "No such file")
        self.assert_fails(self.render(audio=nowhere), nowhere, "No such file")
        self.assert_fails(self.render(image=self.folder), self.folder, "directory")
        self.assert_fails(self.render(audio=self.folder), self.folder, "directory")
        self.assert_fails(self.render(audio=self.image), self.image)
        self.assert_fails(self.render(image=self.speech), self.speech)
        empty = self.folder / "empty"
        empty.touch()
        self.assert_fails(self.render(audio=empty), empty)
        self.assert_fails(self.render(image=empty), empty)
        empty.unlink()
        self.assert_nothing_written()

    def test_unwritable_places(self):
        for place in (self.folder / "no/such/folder.mp4", self.speech / "file.mp4", "/proc/file.mp4"):
            self.assert_fails(self.render(output=place), place, "cannot write")
        folder = self.folder / "folder.mp4"
        folder.mkdir()
        self.assert_fails(self.render(output=folder), folder, "directory")

    def test_failure_keeps_what_was_there(self):
        self.output.write_text("old", encoding="utf-8")
        pack = support.write_fake_pack(self.folder / "failing", fail_at_frame=10)
        self.assert_fails(self.render(model=pack), "failed")
        self.assertEqual(self.output.read_text(encoding="utf-8"), "old")
        self.assertFalse((self.folder / "talking.mp4.part").exists())

    def test_full_disk(self):
        """A small disk is mounted by root, or by anybody in a namespace of their own."""
        disk = self.folder / "disk"
        disk.mkdir()
        audio = support.write_wav(self.folder / "long.wav", support.tone(160000))
        mount = 'mount -t tmpfs -o size=64k tmpfs "$0" || exit 99; "$@"; status=$?; ls -A "$0"; umount "$0"; exit $status'
        result = support.run(*([] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount"]), "sh", "-c",
                             mount, disk, support.TOOL, "render", "--size", "640x640", "-m", "fake", "-i", self.image,
                             "-a", audio, "-o", disk / "talking.mp4")
        if result.returncode == 99 or "unshare:" in result.stderr:
            self.skipTest(f"no disk can be mounted here: {result.stderr.strip()}")
        self.assert_fails(result, disk / "talking.mp4", "no space left")
        self.assertEqual(result.stdout, "", "something was left on the disk")


class MissingElementTest(support.ToolTest):
    """The error names the package of this very system that brings the element."""

    ELEMENTS = ("uridecodebin", "audioconvert", "audioresample", "x264enc", "avenc_aac", "mp4mux",
                "vp8enc", "opusenc", "webmmux")

    def plugin_file(self, element):
        facts = self.assert_works(support.run("gst-inspect-1.0", element)).stdout
        return Path(re.search(r"Filename +(/\S+)", facts).group(1))

    def test_package_is_named(self):
        files = {element: self.plugin_file(element) for element in self.ELEMENTS}
        image = support.write_png(self.folder / "portrait.png")
        speech = support.write_wav(self.folder / "speech.wav", support.tone(16000))
        for element, file in files.items():
            with self.subTest(element=element):
                plugins = self.folder / element
                plugins.mkdir()
                for other in {self.plugin_file("queue"), *files.values()} - {file}:
                    (plugins / other.name).symlink_to(other)
                output = self.folder / ("talking.webm" if element in self.ELEMENTS[6:] else "talking.mp4")
                result = talkface("render", "-m", "fake", "-i", image, "-a", speech, "-o", output,
                                  env={"GST_PLUGIN_SYSTEM_PATH_1_0": str(plugins),
                                       "GST_REGISTRY": str(self.folder / f"{element}.registry")})
                owner = support.run("dpkg", "-S", file.resolve()).stdout.split(":")[0]
                self.assert_fails(result, f"'{element}' is missing", f"apt install {owner},")
                self.assertFalse(output.exists())


class InterruptTest(support.ToolTest):
    """Ctrl-C while frames are being drawn: minutes before the last one."""

    SECONDS = 300

    def start(self, name, delay_ms):
        """The tool, when it has drawn its first frame; each takes that long."""
        pack = support.write_fake_pack(self.folder / "slow", delay_ms=delay_ms)
        audio = support.write_wav(self.folder / "speech.wav", support.tone(16000) * self.SECONDS)
        image = support.write_png(self.folder / "portrait.png")
        log = self.folder / (name + ".log")
        self.output = self.folder / name
        process = subprocess.Popen(
            [support.TOOL, "render", "-i", image, "-a", audio, "-o", self.output, "-m", pack],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "GST_DEBUG": "talkfacegen:LOG", "GST_DEBUG_FILE": str(log)})
        self.addCleanup(process.kill)
        deadline = time.monotonic() + support.PATIENCE_S
        while not (log.exists() and "frame=0 " in log.read_text(encoding="utf-8")):
            self.assertIsNone(process.poll(), "it ended before its first frame")
            self.assertLess(time.monotonic(), deadline, "no frame came")
            time.sleep(0.05)
        return process

    def test_first_completes_the_file(self):
        for name in ("talking.mp4", "talking.mkv", "talking.webm"):
            with self.subTest(name=name):
                process = self.start(name, delay_ms=40)
                process.send_signal(signal.SIGINT)
                out, err = process.communicate(timeout=support.PATIENCE_S)
                self.assertEqual(process.returncode, 0, err)
                self.assertIn("ended early", out)
                frames = support.video_frames(self.output)
                self.assertGreater(frames, 0)
                self.assertLess(frames, self.SECONDS * 25)
                self.assertFalse((self.folder / (name + ".part")).exists())
                for path in self.folder.glob("slow/*"):
                    path.unlink()
                (self.folder / "slow").rmdir()

    def test_second_drops_it(self):
        process = self.start("talking.mp4", delay_ms=2000)  # so that to complete the file takes its time
        process.send_signal(signal.SIGINT)
        self.assertIn("completing the file", process.stderr.readline())
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=support.PATIENCE_S)
        self.assertEqual(process.returncode, 130)
        self.assertFalse(self.output.exists())
        self.assertFalse((self.folder / "talking.mp4.part").exists())


if __name__ == "__main__":
    support.main()
