# SPDX-License-Identifier: MIT
"""What the pipeline tests share: the tool, files to feed it, and what came out."""
import json
import math
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
import wave
import zlib
from fractions import Fraction
from pathlib import Path

TOOL = os.environ.get("TALKFACE_TOOL", "talkface")
SOURCE = Path(os.environ.get("TALKFACE_SOURCE", Path(__file__).resolve().parents[2]))
DATA = SOURCE / "tests/data"
SKIPPED = 77  # meson's exit status of a test that was skipped
PATIENCE_S = 3600  # only what hangs takes as long, at any load


def run(*arguments, timeout=PATIENCE_S, env=None, **options):
    """Runs a program to its end: returns what subprocess.run does, output as text."""
    return subprocess.run([str(a) for a in arguments], timeout=timeout, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env={**os.environ, **(env or {})}, check=False, **options)


def talkface(*arguments, **options):
    return run(TOOL, *arguments, **options)


def listed_data():
    """The files of tests/data that its tables name in their first column, as paths below it."""
    found = []
    for table in (DATA / "SOURCES.md", DATA / "cases/README.md"):
        for cell in re.findall(r"(?m)^\|([^|]*)\|", table.read_text(encoding="utf-8")):
            found += [table.parent.relative_to(DATA) / name for name in re.findall(r"`([^`*]+)`", cell)]
    return found


def data_files(folder):
    """The listed files in this folder of tests/data, and with other names in TALKFACE_TEST_DATA's, which may lack it."""
    files = {name.name: DATA / name for name in listed_data() if str(name.parent) == folder}
    missing = [str(path) for path in files.values() if not path.is_file()]
    if missing or not files:
        raise AssertionError(f"missing in the sources, restore: {', '.join(missing) or DATA / folder}")
    more = os.environ.get("TALKFACE_TEST_DATA")
    found = {path.name: path for path in Path(more, folder).glob("*")} if more else {}
    return [path for _, path in sorted({**found, **files}.items())]


def write_wav(path, samples, rate=16000):
    """`samples`: floats -1..1, mono."""
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(struct.pack(f"<{len(samples)}h", *(int(32767 * s) for s in samples)))
    return path


def tone(count, rate=16000, hertz=220.0):
    return [0.5 * math.sin(2 * math.pi * hertz * i / rate) for i in range(count)]


def write_png(path, width=64, height=64):
    """A grey-blue slope; the fake family sees a face in anything."""
    rows = b"".join(b"\0" + bytes(v for x in range(width) for v in (2 * x % 256, 2 * y % 256, 128))
                    for y in range(height))

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) +
                     chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
    return path


def write_fake_pack(folder, **settings):
    """A pack of the family `fake` (models/families/fake/family.h) with these settings; returns its path."""
    manifest = json.loads((SOURCE / "tests/packs/fake/manifest.json").read_text(encoding="utf-8"))
    manifest["fake"] = settings
    folder.mkdir()
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder


def probe(path):
    """What ffprobe sees: {"video": {...}, "audio": {...}, "format": {...}}; frames are decoded."""
    result = run("ffprobe", "-v", "error", "-count_frames", "-show_streams", "-show_format", "-of",
                 "json", path)
    if result.returncode != 0 or result.stderr:
        raise AssertionError(f"{path} does not play: {result.stderr}")
    found = json.loads(result.stdout)
    return {**{s["codec_type"]: s for s in found["streams"]}, "format": found["format"]}


def video_frames(path):
    return int(probe(path)["video"]["nb_read_frames"])


def frames_due(samples, rate, fps):
    return math.ceil(Fraction(samples, rate) * Fraction(fps))


class ToolTest(unittest.TestCase):
    """Gives each test an empty folder, and checks on errors."""

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="talkface-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def assert_fails(self, result, *words):
        """Exit status 1 and one line on stderr that holds `words`."""
        self.assertEqual(result.returncode, 1, result.stderr)
        lines = result.stderr.strip().splitlines()
        self.assertEqual(len(lines), 1, result.stderr)
        for word in words:
            self.assertIn(str(word), lines[0])

    def assert_works(self, result):
        self.assertEqual(result.returncode, 0, result.stderr)
        return result


def main():
    """unittest.main, but a run in which everything was skipped ends with meson's status for that."""
    program = unittest.main(exit=False, module="__main__", verbosity=2)
    result = program.result
    if not result.wasSuccessful():
        sys.exit(1)
    if result.testsRun > 0 and len(result.skipped) == result.testsRun:
        print(result.skipped[0][1])
        sys.exit(SKIPPED)
