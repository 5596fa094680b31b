# SPDX-License-Identifier: MIT
"""The judge (tests/judge), two files at a time; real clips are read only once."""
import contextlib
import hashlib
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from judge import GRID_S, CannotJudge, correlation, lagged, mouth

WORKERS = 2
CACHE = Path.home() / ".cache/talkface-likeness"
LENIENT = 0.05  # detection threshold where the judge's own finds nothing


@dataclass(frozen=True)
class Curves:
    """What the judge's landmarker sees in a file. Lengths are over the face height (10 to 152)."""
    opening: np.ndarray  # inner lips, on a grid of 40 ms
    width: np.ndarray    # mouth corners
    eye: np.ndarray      # lids
    points: np.ndarray   # [frames, 468, 2] pixels; NaN where no face is found
    height: float        # of the face, pixels
    sure: bool = True    # False: only a lower threshold finds a face (drawings)

    def at(self, frame):
        """Landmarks [468, 2] of a frame; where no face is found in it, of the nearest that has one."""
        seen = np.flatnonzero(~np.isnan(self.points[:, 0, 0]))
        return self.points[seen[np.abs(seen - frame).argmin()]]


def _start():
    os.nice(5)
    # LiteRT's native log, which no option of its own silences.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def _read(path):
    try:
        seen, sure = mouth(path), True
    except CannotJudge:
        seen, sure = mouth(path, least_detection=LENIENT), False
    return Curves(seen["opening"], seen["width"], seen["eye"], seen["points"].astype(np.float32),
                  seen["height"], sure)


def _cached(path):
    state = path.stat()
    key = hashlib.sha256(f"2|{path}|{state.st_size}|{state.st_mtime_ns}".encode()).hexdigest()[:24]
    file = CACHE / f"{key}.npz"
    if file.exists():
        with np.load(file) as stored:
            return Curves(*(stored[name] for name in ("opening", "width", "eye", "points")),
                          float(stored["height"]), bool(stored["sure"]))
    curves = _read(path)
    CACHE.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(f".{os.getpid()}.npz")
    np.savez(part, **vars(curves))
    part.replace(file)
    return curves


@contextlib.contextmanager
def open_judge():
    """Gives (made, real): functions from paths to a list of Curves."""
    with ProcessPoolExecutor(WORKERS, initializer=_start) as pool:
        yield (lambda paths: list(pool.map(_read, paths)),
               lambda paths: list(pool.map(_cached, paths)))


@dataclass(frozen=True)
class Sync:
    """How well a made video follows a real one; as judge.py --reference."""
    r_open: float
    r_width: float
    lag_ms: int
    gain_open: float


def picture_delay_s(curves, samples, rate):
    """How late a real clip's picture is against its own sound: the shift of the loudness that goes
    best with the opening, less the 20 ms by which a mouth opens ahead. Large shifts must win clearly.
    Within 45 ms, as good as this measures, it is 0. (models/training/clips/prepared_clip.h has the same.)"""
    hop = rate // 100
    power = np.convolve(np.square(samples, dtype=np.float64), np.ones(3 * hop), "same")[::hop]
    loud = np.log(power + 1e-5)
    opening = np.interp(np.arange(len(loud)) / 100, np.arange(len(curves.opening)) * GRID_S,
                        curves.opening)
    best, found = 0.0, -2
    for shift in range(-40, 41):
        r = correlation(opening[max(shift, 0):], loud[max(-shift, 0):])
        r -= 0.01 * abs(shift + 2)
        if r > max(best, 0.2):
            best, found = r, shift
    delay = (found + 2) / 100
    return delay if abs(delay) > 0.045 else 0.0


def moved(curves, delay_s):
    """The curves of a real clip as they were had its picture not been late."""
    times = np.arange(len(curves.opening)) * GRID_S

    def early(values):
        return np.interp(times + delay_s, times, values)
    return replace(curves, opening=early(curves.opening), width=early(curves.width),
                   eye=early(curves.eye))


def sync(made, real):
    at = lagged(made.opening, real.opening)
    return Sync(at[0], correlation(made.width, real.width), round(max(at, key=at.get) * GRID_S * 1000),
                float(made.opening.std() / real.opening.std()))
