# SPDX-License-Identifier: MIT
"""Contact sheets: pictures as [height, width, 3] BGR arrays."""
import cv2
import numpy as np

TEXT, PAPER = (40, 40, 40), 255
LIPS = (61, 291, 0, 17, 13, 14)
MOST_CROP = 420  # pixels: a larger mouth is shown smaller
OPENINGS = (5, 40, 60, 80, 92, 99)  # percentiles


def fit(picture, height):
    """Scaled to a height."""
    scale = height / picture.shape[0]
    kind = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return cv2.resize(picture, (max(1, round(picture.shape[1] * scale)), height), interpolation=kind)


def labelled(picture, text):
    strip = np.full((16, picture.shape[1], 3), PAPER, np.uint8)
    cv2.putText(strip, text, (2, 12), cv2.FONT_HERSHEY_SIMPLEX, 0.38, TEXT, 1, cv2.LINE_AA)
    return np.vstack([picture, strip])


def row(pictures, gap=4):
    """Side by side, aligned at the top."""
    tall = max(p.shape[0] for p in pictures)
    parts = []
    for picture in pictures:
        parts.append(np.vstack([picture, np.full((tall - picture.shape[0], picture.shape[1], 3), PAPER,
                                                 np.uint8)]))
        parts.append(np.full((tall, gap, 3), PAPER, np.uint8))
    return np.hstack(parts[:-1])


def column(pictures, gap=6):
    wide = max(p.shape[1] for p in pictures)
    parts = []
    for picture in pictures:
        parts.append(np.hstack([picture, np.full((picture.shape[0], wide - picture.shape[1], 3), PAPER,
                                                 np.uint8)]))
        parts.append(np.full((gap, wide, 3), PAPER, np.uint8))
    return np.vstack(parts[:-1])


def cut(frame, box):
    x0, y0, x1, y1 = box
    return frame[max(0, y0):max(1, y1), max(0, x0):max(1, x1)]


def head_box(points):
    """The head and a little round it, square, of one frame's landmarks [468, 2]."""
    low, high = points.min(axis=0), points.max(axis=0)
    centre, half = (low + high) / 2, 0.8 * (high[1] - low[1])
    return tuple(int(v) for v in (*(centre - half), *(centre + half)))


def mouth_boxes(points):
    """Of several frames' landmarks, each [468, 2]: the lips with half as much again round them; all of
    one size."""
    spans = [(p[list(LIPS)].min(axis=0), p[list(LIPS)].max(axis=0)) for p in points]
    half = 0.8 * max(high[0] - low[0] for low, high in spans)
    reach = np.array([half, 0.75 * half])
    return [tuple((int(v) for v in (*((low + high) / 2 - reach), *((low + high) / 2 + reach))))
            for low, high in spans]


def edge_box(points):
    """From the eyes to below the chin and beyond the cheeks, of one frame's landmarks [468, 2]."""
    low, high = points.min(axis=0), points.max(axis=0)
    wide, tall = high - low
    return tuple(int(v) for v in (low[0] - 0.25 * wide, low[1] + 0.3 * tall, high[0] + 0.25 * wide,
                                  high[1] + 0.2 * tall))


def full_size(frame, box):
    """At its own size; a small one is enlarged by whole steps, a very large one made smaller."""
    crop = cut(frame, box)
    times = max(1, 160 // crop.shape[1])
    if times > 1:
        crop = cv2.resize(crop, None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC)
    return fit(crop, round(crop.shape[0] * MOST_CROP / crop.shape[1])) if crop.shape[1] > MOST_CROP else crop


def opening_frames(curves):
    """Frame numbers (at 25 a second) from shut to widest, eyes open."""
    count = len(curves.points)
    opening = np.where(curves.eye[:count] > 0.9 * np.median(curves.eye), curves.opening[:count], np.inf)
    return [int(np.abs(opening - np.percentile(curves.opening, p)).argmin()) for p in OPENINGS]


def heads(frames, numbers, curves, side=190):
    return row([fit(cut(frames[n], head_box(curves.at(n))), side) for n in numbers])


def mouths(frames, numbers, curves, texts):
    boxes = mouth_boxes([curves.at(n) for n in numbers])
    return row([labelled(full_size(frames[n], box), text)
                for n, box, text in zip(numbers, boxes, texts)])
