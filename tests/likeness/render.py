# SPDX-License-Identifier: MIT
"""Makes videos: files as a user gets them, and frames as the element gives them."""
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

WORKERS = 2


@dataclass(frozen=True)
class Job:
    """One video: `audio` is any file with sound; the output's name tells jobs apart."""
    name: str
    portrait: Path
    audio: Path
    model: str
    idle: bool = False

    def output(self, folder):
        return folder / f"{self.name}.mp4"


def _render(environment, folder, job):
    result = subprocess.run(
        [str(environment.tool), "render", "--image", str(job.portrait), "--audio", str(job.audio),
         "--output", str(job.output(folder)), "--model", job.model,
         "--set", f"idle-motion={str(job.idle).lower()}"],
        check=False, capture_output=True, text=True, env=environment.variables())
    if result.returncode != 0:
        raise RuntimeError(f"{job.name}: {result.stderr.strip()}")


def render(environment, folder, jobs):
    """Writes FOLDER/NAME.mp4 of each job, two at a time."""
    folder.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(lambda job: _render(environment, folder, job), jobs))


def raw_frames(environment, job, fps=25):
    """Yields the element's frames of a job, [height, width, 3] BGR, before any encoder."""
    height, width = (side // 2 * 2 for side in cv2.imread(str(job.portrait)).shape[:2])
    words = ["gst-launch-1.0", "-q", "filesrc", f"location={job.audio}", "!", "decodebin", "!",
             "talkfacegen", f"identity-image={job.portrait}", f"model={job.model}",
             f"idle-motion={str(job.idle).lower()}", "!",
             f"video/x-raw,format=BGR,width={width},height={height},framerate={fps}/1", "!",
             "fdsink", "fd=1", "sync=false"]
    stride = (3 * width + 3) // 4 * 4  # GStreamer's rows of BGR end on four bytes
    with subprocess.Popen(words, stdout=subprocess.PIPE, env=environment.variables()) as process:
        while len(data := process.stdout.read(stride * height)) == stride * height:
            yield np.frombuffer(data, np.uint8).reshape(height, stride)[:, :3 * width].reshape(
                height, width, 3)
    if process.returncode != 0:
        raise RuntimeError("this failed: " + " ".join(words))


def read_frames(path, wanted):
    """Frames of a file by number: {number: [height, width, 3] BGR}."""
    video, frames, wanted = cv2.VideoCapture(str(path)), {}, set(wanted)
    for number in range(max(wanted, default=-1) + 1):
        ok, frame = video.read()
        if not ok:
            break
        if number in wanted:
            frames[number] = frame
    return frames


def all_frames(path):
    """Yields the frames of a file."""
    video = cv2.VideoCapture(str(path))
    while (read := video.read())[0]:
        yield read[1]
