# SPDX-License-Identifier: MIT
"""Do the lips close at p, b and m? Measured on what the engine commands, before any picture."""
import subprocess
from dataclasses import dataclass

import espeak
import numpy as np
from material import RATE, decode, write_wav

# Sentences rich in p, b and m.
TEXTS = ("Bob and Pam keep maple pie, and people may help themselves.",
         "My mother bought a big purple umbrella from the market in Bombay.",
         "Please put the apples on top of the table, maybe beside the lamp.",
         "Temporary problems become simple when somebody remembers the map.")
VOICES = ("en", "en+f3")
FRAME_S = 0.02
# The lips of GRID's speaker 1 are most closed within this time of where an .align file says that a
# word beginning with b, p or m starts (measured: quartiles -30 and +40 ms).
ALIGN_REACH_S = 0.04
P_SILENCE_S = 0.04  # of espeak-ng's p
MOST_OPEN = 0.35  # of the clip's 95th percentile: what still counts as closed
MEETING = 0.001   # face heights: less than this between the lips cannot be seen


@dataclass(frozen=True)
class Closure:
    sound: str      # what is said: "p" or a word
    begin: float    # s
    end: float
    clip: str
    audio: object   # Path
    opening: float  # smallest commanded within, over the clip's 95th percentile
    shown: float    # smallest in the frames that a video of 25 frames a second has of it, face heights


def commanded(environment, model, samples):
    """Frames' times in s, commanded opening and width in face heights, at 50 frames a second."""
    result = subprocess.run([str(environment.commanded), model], check=False, capture_output=True,
                            input=np.asarray(samples, np.float32).tobytes(),
                            env=environment.variables())
    if result.returncode != 0:
        raise RuntimeError(result.stderr.decode().strip())
    rows = np.array([line.split() for line in result.stdout.decode().splitlines()[1:]], float)
    return rows[:, 0] / 1e3, rows[:, 1], rows[:, 2]


def _measure(environment, model, clip, audio, samples, moments):
    times, opening, _ = commanded(environment, model, samples)
    most = np.percentile(opening, 95)
    in_video = np.arange(len(times)) % 2 == 0
    found = []
    for sound, begin, end in moments:
        near = (times >= begin - FRAME_S - 1e-6) & (times <= end + FRAME_S + 1e-6)
        if near.any():
            found.append(Closure(sound, begin, end, clip, audio, float(opening[near].min() / most),
                                 float(opening[near & in_video].min(initial=np.inf))))
    return found


def of_align(environment, model, data, clips):
    """Closures of words in GRID's clips, by their .align files (times in 1/25000 s)."""
    found = []
    for clip in clips:
        lines = data.need(f"grid/s1/align/{clip.name}.align").read_text().split("\n")
        words = [line.split() for line in lines if line]
        moments = [(word, int(begin) / 25000 - ALIGN_REACH_S, int(begin) / 25000 + ALIGN_REACH_S)
                   for begin, _, word in words if word[0] in "bpm"]
        found += _measure(environment, model, clip.name, clip.path, decode(clip.path), moments)
    return found


def _closed(sound, start, end):
    """espeak-ng's event of a p is its burst: the lips are closed in the silence before."""
    return (sound, start - P_SILENCE_S, start) if sound == "p" else (sound, start, end)


def spoken(folder):
    """What espeak-ng says: [(name, wav, samples, closures' moments)]; empty where it is not installed."""
    voice_maker = espeak.find()
    if voice_maker is None:
        return []
    said = []
    for voice in VOICES:
        for number, text in enumerate(TEXTS):
            samples, phonemes = voice_maker.speak(text, voice)
            ends = [start for _, start in phonemes[1:]] + [len(samples) / RATE]
            moments = [_closed(name[0], start, end) for (name, start), end in zip(phonemes, ends)
                       if name[:1] in ("p", "b", "m")]
            name = f"espeak-{voice}-{number + 1}"
            said.append((name, write_wav(folder / f"{name}.wav", samples), samples, moments))
    return said


def of_espeak(environment, model, said):
    found = []
    for name, wav, samples, moments in said:
        found += _measure(environment, model, name, wav, samples, moments)
    return found


def share_closed(closures):
    return sum(c.opening <= MOST_OPEN for c in closures) / len(closures)


def share_met(closures):
    return sum(c.shown < MEETING for c in closures) / len(closures)
