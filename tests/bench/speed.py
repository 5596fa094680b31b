#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures talkfacegen and prints a table: speed, processor time a frame against one pass of
videoconvert, live streams, latency, memory, registry scan.

    tests/bench/speed.py [--build build] [--portrait FILE] [--filling FILE] [--seconds 60]

--portrait: a face at most a third of the picture's height (default: tests/data's astronaut); --filling: a face that fills the picture (that row is left out without). A machine that does
other work at the same time falsifies all but the ratios."""
import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
import wave
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
DATA = SOURCE / "tests/data"
SPEECH = DATA / "speech/en_librivox_austen_0870.wav"


def launch(*words):
    """Runs gst-launch-1.0: seconds on the clock and of the processors."""
    start = time.monotonic()
    process = subprocess.Popen(["gst-launch-1.0", "-q", *words])
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit("speed: this failed: gst-launch-1.0 " + " ".join(words))
    return time.monotonic() - start, usage.ru_utime + usage.ru_stime


def difference(run, short, long):
    """What `long - short` more of the work costs, without start and end; the best of three runs."""
    (wall_short, cpu_short), (wall_long, cpu_long) = (
        map(min, zip(*(run(amount) for _ in range(3)))) for amount in (short, long))
    return max(wall_long - wall_short, 1e-3), max(cpu_long - cpu_short, 1e-3)


class Bench:
    def __init__(self, arguments, folder):
        self.arguments, self.folder, self.rows = arguments, folder, []
        with wave.open(str(SPEECH)) as source:
            self.rate = source.getframerate()
            self.samples = source.readframes(source.getnframes())

    def speech(self, seconds):
        path = self.folder / f"speech{seconds}.wav"
        if not path.exists():
            count = 2 * int(seconds * self.rate)
            with wave.open(str(path), "wb") as out:
                out.setparams((1, 2, self.rate, 0, "NONE", ""))
                out.writeframes((self.samples * (count // len(self.samples) + 1))[:count])
        return path

    def row(self, what, measured, wanted):
        self.rows.append((what, measured, wanted))
        print(f"  {what}: {measured} (wanted {wanted})", file=sys.stderr)

    def faces(self, width, height, image):
        def run(seconds):
            return launch("filesrc", f"location={self.speech(seconds)}", "!", "wavparse", "!",
                          "talkfacegen", f"identity-image={image}", "!",
                          f"video/x-raw,format=I420,width={width},height={height},framerate=25/1",
                          "!", "fakesink", "sync=false")
        seconds = self.arguments.seconds
        wall, cpu = difference(run, 2, seconds + 2)
        return seconds / wall, 1000 * cpu / (25 * seconds)

    def measure_speed(self):
        portrait, filling = self.arguments.portrait, self.arguments.filling
        for width, height, wanted in ((512, 512, 20), (1280, 720, 12), (1920, 1080, 6)):
            speed, frame_ms = self.faces(width, height, portrait)
            self.row(f"{width} x {height}, 25/s", f"{speed:.1f} x real time, {frame_ms:.2f} ms a frame",
                     f">= {wanted} x")
        if filling:
            speed, _ = self.faces(1920, 1080, filling)
            self.row("1920 x 1080, face fills it", f"{speed:.1f} x real time", ">= 2 x")

        def convert(frames):
            return launch("videotestsrc", "num-buffers=1", "!",
                          "video/x-raw,format=RGBA,width=1920,height=1080,framerate=25/1", "!",
                          "imagefreeze", f"num-buffers={frames}", "!", "videoconvert", "n-threads=1",
                          "!", "video/x-raw,format=I420", "!", "fakesink", "sync=false")
        _, cpu = difference(convert, 10, 410)
        pass_ms = 1000 * cpu / 400
        self.row("processor time of a 1080p frame / one videoconvert pass",
                 f"{frame_ms / pass_ms:.2f} ({frame_ms:.2f} / {pass_ms:.2f} ms)", "<= 1.5")

    def streams(self, count, seconds):
        text = subprocess.run(
            [self.arguments.build / "tests/bench/streams", f"--streams={count}", f"--seconds={seconds}",
             f"--image={self.arguments.portrait}", f"--audio={self.speech(60)}"],
            check=True, capture_output=True, text=True).stdout
        return {name: float(value) for name, value in re.findall(r"(\w+)=(\S+)", text)}

    def measure_streams(self):
        seconds = self.arguments.seconds
        one = self.streams(1, min(seconds, 15))
        for count, wanted in ((12, "<= 0.1 %, <= 70 %"), (16, "reported")):
            many = self.streams(count, seconds)
            lost = 100 * (many["idle"] + many["dropped"]) / many["frames"]
            self.row(f"{count} live streams, {seconds} s",
                     f"{lost:.2f} % of frames idle or dropped, {many['late']:.0f} late, "
                     f"processors {many['cpu_percent']:.0f} %", wanted)
        each = (many["rss_mb"] - one["rss_mb"]) / (count - 1)
        self.row("latency, least", f"{one['latency_ms']:.0f} ms", "<= 300 ms")
        self.row("memory: one stream, each further one", f"{one['rss_mb']:.0f} MB, {each:.1f} MB",
                 "<= 350 MB, <= 30 MB")

    def measure_scan(self):
        plugin = self.arguments.build / "elements/libgsttalkface.so"
        text = subprocess.run(["sh", SOURCE / "tests/bench/scan.sh", plugin], check=True,
                              capture_output=True, text=True).stdout
        self.row("gst-inspect, cold registry", re.search(r"cold registry: (.*)", text).group(1), "< 100 ms")

    def print_table(self):
        cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
        print(f"\n{cpu.group(1) if cpu else 'CPU'}, {os.cpu_count()} cores, load "
              f"{os.getloadavg()[0]:.1f}; {time.strftime('%Y-%m-%d')}\n")
        print("| what | measured | wanted |\n|---|---|---|")
        for row in self.rows:
            print("| " + " | ".join(row) + " |")


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--build", type=Path, default=SOURCE / "build")
    parser.add_argument("--portrait", type=Path, default=DATA / "portraits/01_astronaut_collins.png")
    parser.add_argument("--filling", type=Path)
    parser.add_argument("--seconds", type=int, default=60)
    return parser.parse_args()


def main():
    arguments = read_arguments()
    build = arguments.build = arguments.build.resolve()
    os.environ["GST_PLUGIN_PATH_1_0"] = str(build / "elements")
    os.environ["TALKFACE_ENGINE"] = str(build / "models/libtalkface-engine.so")
    os.environ["TALKFACE_MODEL_PATH"] = f"{SOURCE}/models/packs:{build}/models/packs"
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(arguments, Path(folder))
        bench.measure_speed()
        bench.measure_streams()
        bench.measure_scan()
        bench.print_table()


if __name__ == "__main__":
    main()
