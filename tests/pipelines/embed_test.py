# SPDX-License-Identifier: MIT
"""examples/embed.cpp is built against what is installed alone, and its pictures show a mouth that speaks."""
import os
import re
import shutil
import tempfile
import wave
from pathlib import Path

import support
from support import DATA, SOURCE, run

BUILD = Path(os.environ.get("TALKFACE_BUILD", SOURCE / "build")).resolve()
LIBRARIES = Path(os.environ.get("TALKFACE_LIBDIR", "lib/x86_64-linux-gnu"))
PORTRAIT = DATA / "portraits/01_astronaut_collins.png"
SPEECH = DATA / "speech/en_librivox_austen_0870.wav"
FPS = 25


def cut(source, target, seconds, volume=1):
    """The first seconds of a WAV file; with a volume of 0 as much silence."""
    with wave.open(str(source)) as file, wave.open(str(target), "wb") as out:
        frames = file.readframes(int(seconds * file.getframerate()))
        out.setparams(file.getparams())
        out.writeframes(frames if volume else bytes(len(frames)))
    return target


def must_work(result):
    """Its output."""
    if result.returncode != 0:
        raise AssertionError(f"{result.args}: {result.stderr}")
    return result.stdout


class EmbedTest(support.ToolTest):
    @classmethod
    def setUpClass(cls):
        """Installs, and builds the example away from the sources, so that none of their headers can be found."""
        os.environ.pop("LD_LIBRARY_PATH", None)  # with which meson would lead it to the build folder's engine
        cls.home = Path(tempfile.mkdtemp(prefix="talkface-test-"))
        cls.addClassCleanup(shutil.rmtree, cls.home, ignore_errors=True)
        cls.prefix = cls.home / "root/usr"
        must_work(run("meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--tags", "runtime,devel",
                      env={"DESTDIR": str(cls.home / "root")}))
        source = shutil.copy(SOURCE / "examples/embed.cpp", cls.home)
        packages = {"PKG_CONFIG_PATH": str(cls.prefix / LIBRARIES / "pkgconfig")}
        cls.flags = must_work(run("pkg-config", f"--define-variable=prefix={cls.prefix}", "--cflags", "--libs",
                                  "talkface-engine", env=packages)).split()
        cls.tool = cls.home / "embed"
        must_work(run(os.environ.get("CXX", "c++"), "-std=c++17", "-O1", "-Wall", "-Wextra", source, "-o", cls.tool,
                      *cls.flags, cwd=cls.home))

    def test_needs_only_what_is_installed(self):
        for flag in self.flags:
            self.assertNotIn(str(SOURCE), flag)
        linked = must_work(run("ldd", self.tool))
        self.assertIn(str(self.prefix / LIBRARIES / "talkface/libtalkface-engine.so"), linked)
        for name in ("gstreamer", "glib", "torch"):
            self.assertNotIn(name, linked)

    def embed(self, sound, name, model="auwarp"):
        """The folder of its pictures."""
        folder = self.folder / name
        folder.mkdir()
        self.assert_works(run(self.tool, PORTRAIT, sound, folder, model))
        return folder

    def mouth_motion(self, folder):
        """By how many grey levels the pixels round the mouth change from a frame to the next, on average."""
        seen = self.assert_works(support.talkface("inspect-image", PORTRAIT)).stdout
        x, y, width, height = map(int, re.search(r"box +x (\d+), y (\d+), (\d+) x (\d+)", seen).groups())
        crop = f"crop={width // 2}:{height // 4}:{x + width // 4}:{y + height * 5 // 8}:exact=1"
        raw = self.folder / "mouth.raw"
        self.assert_works(run("ffmpeg", "-v", "error", "-y", "-i", folder / "frame-%06d.png", "-vf",
                              f"format=gray,{crop}", "-f", "rawvideo", raw))
        size = (width // 2) * (height // 4)
        pixels = raw.read_bytes()
        self.assertEqual(len(pixels) % size, 0)
        frames = [pixels[i:i + size] for i in range(0, len(pixels), size)]
        changes = [sum(abs(a - b) for a, b in zip(one, two)) / size for one, two in zip(frames, frames[1:])]
        return sum(changes) / len(changes)

    def test_speaks(self):
        spoken = self.embed(cut(SPEECH, self.folder / "speech.wav", 2), "spoken")
        silent = self.embed(cut(SPEECH, self.folder / "silence.wav", 2, volume=0), "silent")
        for folder in (spoken, silent):
            self.assertEqual(len(list(folder.glob("frame-*.png"))), 2 * FPS)
        motion, rest = self.mouth_motion(spoken), self.mouth_motion(silent)
        print(f"grey levels a frame: {motion:.2f} in speech, {rest:.2f} in silence")
        self.assertGreater(motion, 3 * rest)
        self.assertGreater(motion, 1)

    def test_sounds(self):
        """Any rate, one channel or two; what is no such sound is refused."""
        stereo = self.folder / "stereo.wav"
        samples = support.tone(22050 // 2, rate=22050)
        support.write_wav(stereo, [s for s in samples for _ in range(2)], rate=22050)
        content = bytearray(stereo.read_bytes())
        content[22:24] = (2).to_bytes(2, "little")  # channels
        content[32:34] = (4).to_bytes(2, "little")  # bytes of both
        stereo.write_bytes(content)
        self.assertEqual(len(list(self.embed(stereo, "stereo", "fake").iterdir())), 13)
        self.assert_fails(run(self.tool, PORTRAIT, PORTRAIT, self.folder, "fake"), "no WAV file")
        self.assert_fails(run(self.tool, stereo, stereo, self.folder, "fake"), "stereo.wav")
        self.assert_fails(run(self.tool, PORTRAIT, stereo, self.folder, "no-such-model"), "no-such-model")
        self.assert_fails(run(self.tool, PORTRAIT, stereo, self.folder / "missing", "fake"), "cannot write")


if __name__ == "__main__":
    support.main()
