# SPDX-License-Identifier: MIT
"""The face in a video file, frame by frame."""
import cv2
import numpy as np
from face_tracker import FaceTracker


class CannotJudge(Exception):
    """The file cannot be judged; the text says which file and why."""


def follow(path, least_detection=0.5):
    """Times in s, landmarks [frames, 468, 3] in pixels (NaN where no face is found), and the frames'
    height and width. Throws CannotJudge where nothing can be read or fewer than two frames have a face."""
    tracker, video = FaceTracker(least_detection), cv2.VideoCapture(str(path))
    times, points, size = [], [], None
    while True:
        time = video.get(cv2.CAP_PROP_POS_MSEC) / 1e3
        ok, picture = video.read()
        if not ok:
            break
        times.append(time)
        points.append(tracker.track(picture))
        size = picture.shape[:2]
    if size is None:
        raise CannotJudge(f"no frame could be read from {path}")
    times, points = np.array(times), np.array(points)
    if (np.diff(times) <= 0).any():  # some demuxers give no times: the frame rate does
        times = np.arange(len(times)) / (video.get(cv2.CAP_PROP_FPS) or 25.0)
    if (~np.isnan(points[:, 0, 0])).sum() < 2:
        raise CannotJudge(f"no face found in {path}")
    return times, points, size


def distance(points, a, b):
    """Between two landmarks, in each frame, across the picture."""
    return np.linalg.norm(points[:, a, :2] - points[:, b, :2], axis=1)


def face_height(points):
    """From the forehead to the chin, in pixels: the measure of all lengths."""
    return np.nanmedian(distance(points, 10, 152))
