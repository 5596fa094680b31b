# SPDX-License-Identifier: MIT
"""Pictures out of tests/data that are shown to MediaPipe (record_mediapipe.py) and to our tracker
(face_tracker_test.py)."""
from dataclasses import dataclass
from pathlib import Path

import cv2

DATA = Path(__file__).resolve().parents[1] / "data"
RECORDED = Path(__file__).with_name("mediapipe_landmarks.npz")
LOST = -2**31  # recorded where no face is found


@dataclass(frozen=True)
class Show:
    """Files that one tracker sees one after the other: pictures, or a clip."""
    name: str
    files: tuple
    every: int = 1  # so many-th picture is recorded


PORTRAITS = ("01_astronaut_collins.png", "02_obama_official_2012.jpg", "04_grace_hopper_glasses.jpg",
             "05_douglass_beard_yaw_bw.jpg", "06_lincoln_1863_beard_bw.jpg", "08_monalisa.jpg",
             "10_bouguereau_child.jpg", "11_raphael_velata.jpg", "14_cartoon_sylvie_rgba.png",
             "17_durer_1500_crop_frontal_beard.jpg", "19_hopper_128px.png",
             "22_grid_glasses_m.png",
             "23_grid_moustache_darkskin_m.png", "tiny_image_64x64.png", "two_faces_obama_biden.jpg")
SHOWS = (
    *(Show(name, (f"portraits/{name}",)) for name in PORTRAITS),
    Show("clip", ("grid/s1/video/bbaf2n.mpg",), 5),
    # A face that is followed, lost, and found again elsewhere.
    Show("lost and found", ("portraits/22_grid_glasses_m.png", "portraits/22_grid_glasses_m.png",
                            "negative/noface_coffee.png", "portraits/10_bouguereau_child.jpg",
                            "portraits/10_bouguereau_child.jpg")),
)


def _read(path):
    if path.suffix != ".mpg":
        yield cv2.imread(str(path))
        return
    video = cv2.VideoCapture(str(path))
    while (read := video.read())[0]:
        yield read[1]


def pictures(show):
    """Yields them in BGR, as OpenCV reads them."""
    for name in show.files:
        if not (DATA / name).is_file():
            raise FileNotFoundError(f"{DATA / name} is missing in the sources: restore it")
        yield from _read(DATA / name)
