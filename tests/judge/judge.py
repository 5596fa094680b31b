#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Scores a generated talking-face video with an outside landmarker (MediaPipe's FaceMesh), as JSON on stdout.

  judge.py GENERATED                       what moves: opening, width, blinks, face found
  judge.py GENERATED --reference REAL [--offset MS]   lip sync against a real video of the same speech, whose picture
                                           is MS late against its own sound (measure it; 0 if not given)
  judge.py GENERATED --portrait IMAGE      what must not move: pixels far from the face

Lengths are divided by the face height (landmarks 10 to 152), so sizes need not agree; time is taken from each
file's own timestamps and compared on a 25 Hz grid.

  r_open, r_width   Pearson correlation of inner-lip opening (13-14) and mouth width (61-291) with the reference
  lag_ms            shift of GENERATED that correlates best (positive: it is late), r_open_best at that shift
  gain_open         std of opening over the reference's std (1 is as lively as the real speaker)
  open_p5, open_p95 percentiles of the opening
  far_change        mean absolute difference, 0..255, between frames and the portrait outside twice the face box
"""
import argparse
import json
import sys

import judge_python

if __name__ == "__main__":
    judge_python.enter()
# pylint: disable=wrong-import-position
import cv2
import numpy as np
from film import CannotJudge, distance, face_height, follow

GRID_S = 0.04
MOST_LAG_STEPS = 6


def mouth(path, offset=0.0, least_detection=0.5):
    """Curves of a file on the time grid and what they come from; its picture is `offset` s late."""
    times, points, size = follow(path, least_detection)
    times = times - offset
    height = face_height(points)
    grid = np.arange(0, times[-1] + 1e-6, GRID_S)
    good = ~np.isnan(points[:, 0, 0])

    def curve(a, b):
        return np.interp(grid, times[good], distance(points, a, b)[good] / height)
    return {"opening": curve(13, 14), "width": curve(61, 291), "eye": curve(159, 145),
            "found": float(good.mean()), "frames": len(times),
            "fps": float((len(times) - 1) / (times[-1] - times[0])), "points": points[:, :, :2],
            "size": size, "height": float(height)}


def correlation(a, b):
    count = min(len(a), len(b))
    a, b = a[:count] - a[:count].mean(), b[:count] - b[:count].mean()
    power = np.sqrt((a * a).sum() * (b * b).sum())
    return float((a * b).sum() / power) if power > 0 else 0.0


def lagged(made, real):
    """Correlations of `made`, taken to be late by so many steps of the grid, with `real`."""
    return {steps: correlation(made[max(steps, 0):], real[max(-steps, 0):])
            for steps in range(-MOST_LAG_STEPS, MOST_LAG_STEPS + 1)}


def far_change(path, portrait, points):
    image, video = cv2.imread(portrait), cv2.VideoCapture(path)
    if image is None:
        raise CannotJudge(f"no picture could be read from {portrait}")
    ok, frame = video.read()
    image = cv2.resize(image, frame.shape[1::-1], interpolation=cv2.INTER_AREA)
    low, high = np.nanmin(points, axis=(0, 1)), np.nanmax(points, axis=(0, 1))
    centre, half = (low + high) / 2, high - low
    mask = np.ones(frame.shape[:2], bool)
    x0, y0 = np.maximum(centre - half, 0).astype(int)
    x1, y1 = (centre + half).astype(int)
    mask[y0:y1, x0:x1] = False
    changes = []
    while ok and mask.any():
        changes.append(np.abs(frame.astype(int) - image.astype(int))[mask].mean())
        ok, frame = video.read()
    return float(np.mean(changes)) if changes else 0.0


def judge(arguments):
    made = mouth(arguments.generated)
    out = {"frames": made["frames"], "fps": round(made["fps"], 3), "size": made["size"][::-1],
           "face_found": round(made["found"], 4),
           "open_p5": round(float(np.percentile(made["opening"], 5)), 4),
           "open_p95": round(float(np.percentile(made["opening"], 95)), 4),
           "open_std": round(float(made["opening"].std()), 4),
           "width_std": round(float(made["width"].std()), 4),
           "eye_min_over_median": round(float(made["eye"].min() / np.median(made["eye"])), 3)}
    if arguments.reference:
        real = mouth(arguments.reference, arguments.offset / 1e3)
        lags = lagged(made["opening"], real["opening"])
        best = max(lags, key=lags.get)
        out.update(r_open=round(lags[0], 4), r_width=round(correlation(made["width"], real["width"]), 4),
                   lag_ms=round(best * GRID_S * 1000), r_open_best=round(lags[best], 4),
                   gain_open=round(float(made["opening"].std() / real["opening"].std()), 3),
                   reference_open_p95=round(float(np.percentile(real["opening"], 95)), 4))
    if arguments.portrait:
        out["far_change"] = round(far_change(arguments.generated, arguments.portrait, made["points"]), 3)
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("generated")
    parser.add_argument("--reference")
    parser.add_argument("--offset", type=float, default=0.0, help="ms")
    parser.add_argument("--portrait")
    try:
        print(json.dumps(judge(parser.parse_args())))
    except CannotJudge as error:
        sys.exit(f"judge: {error}")


if __name__ == "__main__":
    main()
