# SPDX-License-Identifier: MIT
"""What is measured on pictures: rest, blinks, the mouth's inside, pixels far from the face."""
from dataclasses import dataclass

import cv2
import numpy as np
from judging import GRID_S

REST_AFTER_S = 0.5  # after the end of speech
OPEN = 0.02         # face heights: from here on the inside of a mouth is looked at
LEAST_BLINK = 0.03  # of the contrast round the eyes; lids shut change 0.06 to 0.11 of it
INNER_LIPS = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88,
              95)
EYES = ((33, 133, 159, 145), (362, 263, 386, 374))  # corners and lids of both


@dataclass(frozen=True)
class Rest:
    """The measured opening while nobody speaks, in face heights."""
    spread: float  # largest less smallest
    level: float   # median


def rest(curves, silence_from_s):
    opening = curves.opening[round((silence_from_s + REST_AFTER_S) / GRID_S):]
    return Rest(float(np.ptp(opening)), float(np.median(opening)))


def face_box(points, factor=1.0):
    """x0, y0, x1, y1 round the landmarks of all frames, `factor` times as large."""
    low, high = np.nanmin(points, axis=(0, 1)), np.nanmax(points, axis=(0, 1))
    centre, half = (low + high) / 2, factor * (high - low) / 2
    return tuple(int(v) for v in (*(centre - half), *(centre + half)))


def far_change(frames, box):
    """Largest difference, 0..255, of any frame to the first outside the box."""
    x0, y0, x1, y1 = (max(0, v) for v in box)
    first, most = None, 0
    for frame in frames:
        if first is None:
            first = frame
            outside = np.ones(frame.shape[:2], bool)
            outside[y0:y1, x0:x1] = False
        elif outside.any():
            most = max(most, int(cv2.absdiff(frame, first)[outside].max()))
    return most


def eye_box(points):
    """x0, y0, x1, y1 round both eyes of one frame's landmarks [468, 2]."""
    corners = points[[corner for eye in EYES for corner in eye]]
    low, high = corners.min(axis=0), corners.max(axis=0)
    reach = 0.25 * (high[0] - low[0])
    return (max(0, int(low[0] - 0.5 * reach)), max(0, int(low[1] - reach)),
            int(high[0] + 0.5 * reach), int(high[1] + reach))


def blink_frames(frames, points, count):
    """Numbers of the frames in which the region of the eyes is most unlike what it was before and is
    after: lids shut. Fewer than `count` where there are fewer blinks."""
    x0, y0, x1, y1 = eye_box(points)
    eyes = np.array([cv2.cvtColor(frame[y0:y1, x0:x1], cv2.COLOR_BGR2GRAY) for frame in frames], float)
    # A blink takes a quarter of a second: half a second of frames round it shows the eyes open.
    change = np.zeros(len(eyes))
    for n, eye in enumerate(eyes):
        near = eyes[max(0, n - 7):n + 8]
        change[n] = np.abs(eye - np.median(near, axis=0)).mean()
    found = []
    least = max(LEAST_BLINK * eyes[0].std(), 0.5 * change.max())
    while len(found) < count and change.max() >= least:
        best = int(change.argmax())
        found.append(best)
        change[max(0, best - 12):best + 13] = 0
    return sorted(found)


@dataclass(frozen=True)
class Inside:
    """How the inside of the mouth looks over the frames in which it is open, of 255 levels."""
    texture: float  # standard deviation over its pixels, mean over frames
    change: float   # standard deviation over frames of its mean
    frames: int


def mouth_inside(frames, points, height):
    """`frames` and `points` [frames, 468, 2] of the same moments."""
    means, textures = [], []
    for frame, at in zip(frames, points):
        if np.isnan(at[0, 0]) or np.linalg.norm(at[13] - at[14]) < OPEN * height:
            continue
        mask = np.zeros(frame.shape[:2], np.uint8)
        cv2.fillPoly(mask, [at[list(INNER_LIPS)].round().astype(np.int32)], 1)
        grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)[mask > 0].astype(float)
        if grey.size > 0:
            means.append(grey.mean())
            textures.append(grey.std())
    if len(means) < 2:
        return Inside(0.0, 0.0, len(means))
    return Inside(float(np.mean(textures)), float(np.std(means)), len(means))
