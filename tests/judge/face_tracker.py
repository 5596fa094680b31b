# SPDX-License-Identifier: MIT
"""MediaPipe's FaceMesh for one face in a video, without MediaPipe: its two nets run by LiteRT, and what
its graphs do round them (face_detection_short_range.pbtxt, face_landmark_front_cpu.pbtxt and those that
they include). MediaPipe's own Python package ends with Python 3.12.

All is computed in MediaPipe's order and in float32. A tracker feeds on its own landmarks, and a net may
answer a change in the last digit with a ten times larger one: on a picture in which it is unsure, these
add up to whole pixels within a few frames. Given the same region, the landmarks here are MediaPipe's own
to a thousandth of a pixel."""
import math
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter

SOURCE = Path(__file__).resolve().parents[2]
DETECTOR = "face_detection/face_detection_short_range.tflite"
MESH = "face_landmark/face_landmark.tflite"
LANDMARKS = 468
STRIDES = (8, 16, 16, 16)       # of the detector's layers, two anchors a cell each
MOST_LOGIT = 80                 # its exponential still is a float32
SUPPRESSION_OVERLAP = 0.3       # intersection over union
REGION_SCALE = 1.5              # a region is so much larger than the face in it
LEAST_PRESENCE = 0.5            # of a face in the mesh net's region
RIGHT_EYE, LEFT_EYE = 33, 263   # outer corners, by which a region is turned


class MissingNets(Exception):
    """The nets are not there; the text says where they are looked for and what to do."""


@dataclass(frozen=True)
class Region:
    """A square of a picture, turned clockwise about its centre; may reach over the edges. Lengths are
    fractions of the picture's sides."""
    x: np.float32
    y: np.float32
    width: np.float32
    height: np.float32
    angle: np.float32 = np.float32(0)  # radians

    def place(self, points):
        """Points [n, 2], 0 to 1 across the region, as fractions of the picture's sides."""
        x, y = (points - np.float32(0.5)).T
        cosine, sine = np.float32(math.cos(self.angle)), np.float32(math.sin(self.angle))
        return np.column_stack([(cosine * x - sine * y) * self.width + self.x,
                                (sine * x + cosine * y) * self.height + self.y])

    def crop(self, picture, size, border):
        """Resampled to size x size; pixel i lies at i / size of the region's side."""
        height, width = picture.shape[:2]
        degrees = float(self.angle * np.float32(180)) / math.pi
        corners = cv2.boxPoints(((float(self.x * width), float(self.y * height)),
                                 (float(self.width * width), float(self.height * height)), degrees))
        target = np.array([[0, size], [0, 0], [size, 0], [size, size]], np.float32)
        return cv2.warpPerspective(picture, cv2.getPerspectiveTransform(corners, target), (size, size),
                                   flags=cv2.INTER_LINEAR, borderMode=border)


def _region_round(low, high, right_eye, left_eye, sides):
    """The square round a box, the eyes level in it; `sides` are the picture's, in pixels."""
    span = high - low
    centre = low + span / 2
    across = left_eye * sides - right_eye * sides
    size = (span * sides).max() / sides * np.float32(REGION_SCALE)
    return Region(*centre, *size, np.float32(math.atan2(across[1], across[0])))


class _Net:
    """A net with a square picture for its input; one thread, so that two judges can work at once."""

    def __init__(self, name):
        folders = sorted(SOURCE.glob(".venv/lib/python3*/site-packages/mediapipe/modules"))
        if not folders or not (folders[-1] / name).is_file():
            raise MissingNets(f"MediaPipe's net {name} is not in {SOURCE}/.venv: run scripts/setup.sh")
        self.interpreter = Interpreter(str(folders[-1] / name), num_threads=1)
        self.interpreter.allocate_tensors()
        self.input = self.interpreter.get_input_details()[0]
        self.outputs = [d["index"] for d in self.interpreter.get_output_details()]
        self.size = int(self.input["shape"][1])

    def run(self, crop, low, high):
        """Outputs for RGB pixels, 0 becoming `low` and 255 `high`."""
        scaled = crop.astype(np.float32) * np.float32((high - low) / 255) + np.float32(low)
        self.interpreter.set_tensor(self.input["index"], scaled[None])
        self.interpreter.invoke()
        return [self.interpreter.get_tensor(index)[0] for index in self.outputs]


def _anchors(size):
    """Centres [n, 2] of the detector's anchors, 0 to 1 across its input."""
    centres = []
    for stride in dict.fromkeys(STRIDES):  # layers of one stride share their cells
        cells = size // stride
        y, x = np.mgrid[:cells, :cells]
        grid = (np.stack([x, y], axis=-1).reshape(-1, 2) + 0.5) / cells
        centres.append(np.repeat(grid, 2 * STRIDES.count(stride), axis=0))
    return np.concatenate(centres).astype(np.float32)


def _sigmoid(x):
    return 1 / (1 + np.exp(-np.clip(x, -MOST_LOGIT, MOST_LOGIT)))


def _overlaps(low, high):
    """Intersection over union of the first of boxes with each; corners [n, 2]."""
    sides = np.maximum(np.minimum(high[0], high) - np.maximum(low[0], low), 0)
    shared, areas = sides.prod(axis=1), (high - low).prod(axis=1)
    return shared / (areas[0] + areas - shared)


class FaceTracker:
    """Follows one face through the pictures of a video."""

    def __init__(self, least_detection=0.5):
        self.detector, self.mesh = _Net(DETECTOR), _Net(MESH)
        self.anchors = _anchors(self.detector.size)
        self.least_detection = least_detection
        self.region = None  # where the last picture's landmarks say that the face is

    def track(self, picture):
        """Landmarks [468, 3] of the next picture (BGR, as OpenCV reads it): x, y in pixels, z in the
        same scale, smaller being nearer; NaN where no face is found."""
        picture = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
        sides = np.array(picture.shape[1::-1], np.float32)
        region = self.region or self._detect(picture, sides)
        self.region = None  # a face that is lost is looked for in the next picture
        if region is not None:
            raw, presence = self.mesh.run(region.crop(picture, self.mesh.size, cv2.BORDER_REPLICATE), 0, 1)
            if _sigmoid(presence.item()) > LEAST_PRESENCE:
                points = raw.reshape(LANDMARKS, 3) / np.float32(self.mesh.size)
                flat = region.place(points[:, :2])
                self.region = _region_round(flat.min(axis=0), flat.max(axis=0), flat[RIGHT_EYE],
                                            flat[LEFT_EYE], sides)
                return np.column_stack([flat * sides, points[:, 2] * region.width * sides[0]])
        return np.full((LANDMARKS, 3), np.nan, np.float32)

    def _detect(self, picture, sides):
        """The region of the surest face, or None."""
        side = sides.max()
        whole = Region(np.float32(0.5), np.float32(0.5), *(side / sides))
        crop = whole.crop(picture, self.detector.size, cv2.BORDER_CONSTANT)
        raw, logits = self.detector.run(crop, -1, 1)
        scores = _sigmoid(logits[:, 0])
        raw = raw / np.float32(self.detector.size)
        good = (scores >= self.least_detection) & (raw[:, 2:4] > 0).all(axis=1)
        if not good.any():
            return None
        best_first = np.flatnonzero(good)[np.argsort(-scores[good], kind="stable")]
        scores, raw, anchors = scores[best_first, None], raw[best_first], self.anchors[best_first]
        centre, half = raw[:, :2] + anchors, raw[:, 2:4] / 2
        low, high = centre - half, centre + half
        # Weighted suppression: what overlaps the best box is averaged into it.
        near = _overlaps(low, high) > SUPPRESSION_OVERLAP
        points = np.stack([low, high, raw[:, 4:6] + anchors, raw[:, 6:8] + anchors], axis=1)
        mean = (points * scores[..., None])[near].sum(axis=0) / scores[near].sum()
        inverse = 1 / sides
        return _region_round(*(mean * (side * inverse) + (sides / 2 - side / 2) * inverse), sides)
