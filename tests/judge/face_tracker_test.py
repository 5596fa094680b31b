# SPDX-License-Identifier: MIT
"""The judge's face tracker sees what MediaPipe itself has seen in the same pictures."""
import unittest

import judge_python

if __name__ == "__main__":
    judge_python.enter()
# pylint: disable=wrong-import-position
import numpy as np
from face_tracker import FaceTracker
from shows import LOST, RECORDED, SHOWS, pictures

MOST_PX = 0.1
MOST_DEPTH_PX = 0.2  # the nets' depth is rougher


class FaceTrackerTest(unittest.TestCase):
    def test_is_mediapipe(self):
        with np.load(RECORDED) as recorded:
            self.assertEqual(sorted(recorded), sorted(show.name for show in SHOWS))
            for show in SHOWS:
                with self.subTest(show.name):
                    self.compare(show, recorded[show.name])

    def compare(self, show, recorded):
        tracker = FaceTracker()
        seen = np.array([tracker.track(picture) for picture in pictures(show)])[::show.every]
        lost = recorded[:, 0, 0] == LOST
        np.testing.assert_array_equal(np.isnan(seen[:, 0, 0]), lost, "pictures in which no face is found")
        away = np.abs(seen - recorded / 100)[~lost]
        if len(away) > 0:
            self.assertLessEqual(np.linalg.norm(away[..., :2], axis=2).max(), MOST_PX)
            self.assertLessEqual(away[..., 2].max(), MOST_DEPTH_PX)

    def test_a_lower_threshold_finds_a_drawing(self):
        drawing, = (show for show in SHOWS if "cartoon" in show.name)
        picture, = pictures(drawing)
        self.assertFalse(np.isnan(FaceTracker(0.05).track(picture)).any())


if __name__ == "__main__":
    unittest.main()
