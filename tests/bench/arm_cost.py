#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Counts the instructions that talkfacegen executes on 64-bit Arm, and estimates from them what it would cost a Raspberry Pi 5.

    scripts/check_on.sh arm64 tests/bench/arm_cost.py      as root; qemu-user must be installed beside what that script wants

Runs in that system: QEMU executes the Arm's program with tests/bench/count_instructions.cpp, on any machine with the same
result. What a processor makes of an instruction is assumed, not measured: see PER_CYCLE."""
import os
import re
import subprocess
import sys
import tempfile
import wave
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
BUILD = SOURCE / "build"
SPEECH = SOURCE / "tests/data/speech/en_librivox_austen_0870.wav"
PORTRAIT = SOURCE / "tests/data/portraits/01_astronaut_collins.png"
SIZES = ((512, 512), (1280, 720), (1920, 1080))
SHORT_S, LONG_S = 2, 6

# A Raspberry Pi 5: four Cortex-A76 at 2.4 GHz, which decode four instructions a cycle.
CLOCK_HZ = 2.4e9
# Instructions a cycle, assumed: low where memory is waited for, high where loops stay in the caches; with that in the middle.
PER_CYCLE = {"pessimistic": 1.0, "assumed": 1.5, "optimistic": 2.5}


def build_plugin(folder):
    """Compiles the plugin for this machine's QEMU, with this machine's compiler and libraries."""
    plugin = folder / "count_instructions.so"
    subprocess.run(["/host/usr/bin/g++", "--sysroot=/host", "-std=c++17", "-O2", "-shared", "-fPIC", "-o", plugin,
                    SOURCE / "tests/bench/count_instructions.cpp"], env=dict(os.environ, PATH="/host/usr/bin"), check=True)
    return plugin


def cut(seconds, folder):
    """The first `seconds` of the speech, as a WAV file."""
    path = folder / f"speech{seconds}.wav"
    with wave.open(str(SPEECH)) as source, wave.open(str(path), "wb") as out:
        out.setparams(source.getparams())
        out.writeframes(source.readframes(int(seconds * source.getframerate())))
    return path


class Counter:
    def __init__(self, folder):
        self.folder = folder
        self.plugin = build_plugin(folder)
        self.environment = dict(
            os.environ, GST_PLUGIN_PATH_1_0=str(BUILD / "elements"), GST_REGISTRY=str(folder / "registry"),
            TALKFACE_ENGINE=str(next(BUILD.glob("models/libtalkface-engine.so"))),
            TALKFACE_MODEL_PATH=f"{SOURCE}/models/packs:{BUILD}/models/packs")
        # The registry is made once, outside what is counted.
        subprocess.run(["gst-inspect-1.0", "talkfacegen"], env=self.environment, stdout=subprocess.DEVNULL, check=True)

    def count(self, seconds, width, height, rate):
        """Instructions of a whole gst-launch-1.0, all its threads together."""
        words = ["filesrc", f"location={cut(seconds, self.folder)}", "!", "wavparse", "!", "talkfacegen",
                 f"identity-image={PORTRAIT}", "!",
                 f"video/x-raw,format=I420,width={width},height={height},framerate={rate}/1", "!", "fakesink", "sync=false"]
        done = subprocess.run(["/host/usr/bin/qemu-aarch64", "-plugin", self.plugin, "/usr/bin/gst-launch-1.0", "-q", *words],
                              env=self.environment, stderr=subprocess.PIPE, text=True)
        found = re.search(r"^instructions: (\d+)$", done.stderr, re.MULTILINE)
        if done.returncode != 0 or not found:
            sys.exit(f"arm_cost: gst-launch-1.0 failed:\n{done.stderr}")
        return int(found[1])

    def measure(self, width, height):
        """(a second of speech at 25 frames, a frame, what a second costs beside its frames, start and enrolment)."""
        short, long, doubled_short, doubled_long = (
            self.count(seconds, width, height, rate) for rate in (25, 50) for seconds in (SHORT_S, LONG_S))
        second = (long - short) / (LONG_S - SHORT_S)
        frame = ((doubled_long - doubled_short) / (LONG_S - SHORT_S) - second) / 25
        return second, frame, second - 25 * frame, short - SHORT_S * second


def main():
    with tempfile.TemporaryDirectory() as folder:
        counter = Counter(Path(folder))
        print("| picture, 25 frames a second | million instructions: a second of speech | a frame | a second beside its frames |"
              " start with enrolment | estimate: ms of one core a second of speech, " +
              ", ".join(f"{name} {value}" for name, value in PER_CYCLE.items()) + " a cycle |")
        print("|---" * 6 + "|")
        for width, height in SIZES:
            counts = counter.measure(width, height)
            estimates = " / ".join(f"{1e3 * counts[0] / value / CLOCK_HZ:.0f}" for value in PER_CYCLE.values())
            print(f"| {width} x {height} | " + " | ".join(f"{count / 1e6:.1f}" for count in counts) + f" | {estimates} |",
                  flush=True)


if __name__ == "__main__":
    main()
