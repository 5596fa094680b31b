#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes what MediaPipe's own FaceMesh sees in tests/data, which face_tracker_test.py compares with:

    python3.11 -m venv /tmp/mediapipe
    /tmp/mediapipe/bin/pip install mediapipe==0.10.14
    /tmp/mediapipe/bin/python tests/judge/record_mediapipe.py

Python 3.12 is the newest that has it. Landmarks are stored in hundredths of a pixel."""
import cv2
import mediapipe
import numpy as np
from shows import LOST, RECORDED, SHOWS, pictures


def see(show):
    """[pictures, 468, 3] in hundredths of a pixel; LOST where no face is found."""
    mesh = mediapipe.solutions.face_mesh.FaceMesh(static_image_mode=False, max_num_faces=1)
    seen = []
    for picture in pictures(show):
        height, width = picture.shape[:2]
        faces = mesh.process(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)).multi_face_landmarks
        seen.append([(p.x * width, p.y * height, p.z * width) for p in faces[0].landmark] if faces else
                    np.full((468, 3), np.nan))
    hundredths = np.rint(100 * np.array(seen)[::show.every])
    return np.where(np.isnan(hundredths), LOST, hundredths).astype(np.int32)


if __name__ == "__main__":
    np.savez_compressed(RECORDED, **{show.name: see(show) for show in SHOWS})
    print(f"{RECORDED}: {RECORDED.stat().st_size} bytes")
