# SPDX-License-Identifier: MIT
"""Speech from espeak-ng's library with the moment of each phoneme."""
import ctypes
import ctypes.util
import functools

import numpy as np
from material import RATE

SYNCHRONOUS, PHONEME_EVENTS, PHONEME, LIST_END = 2, 1, 7, 0


class _Id(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_ = [("type", ctypes.c_int), ("unique_identifier", ctypes.c_uint),
                ("text_position", ctypes.c_int), ("length", ctypes.c_int),
                ("audio_position", ctypes.c_int), ("sample", ctypes.c_int),
                ("user_data", ctypes.c_void_p), ("id", _Id)]


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int,
                             ctypes.POINTER(_Event))


class Espeak:
    """The library, started; it can be started only once in a process."""

    def __init__(self, library):
        self.library = ctypes.CDLL(library)
        self.rate = self.library.espeak_Initialize(SYNCHRONOUS, 0, None, PHONEME_EVENTS)
        if self.rate <= 0:
            raise RuntimeError("espeak-ng cannot start: is espeak-ng-data installed?")
        self.callback = _Callback(self._take)
        self.library.espeak_SetSynthCallback(self.callback)
        self.pieces, self.phonemes = [], []

    def _take(self, samples, count, events):
        i = 0
        while events[i].type != LIST_END:
            if events[i].type == PHONEME:
                self.phonemes.append((events[i].id.string.decode("utf-8"),
                                      events[i].audio_position / 1e3))
            i += 1
        if samples and count > 0:
            self.pieces.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0

    def speak(self, text, voice="en"):
        """Samples at 16 kHz, and (phoneme in espeak's letters, start in s) in their order."""
        self.pieces, self.phonemes = [], []
        if self.library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise RuntimeError(f"espeak-ng has no voice '{voice}'")
        data = text.encode() + b"\0"
        self.library.espeak_Synth(data, len(data), 0, 1, 0, 1, None, None)  # characters, UTF-8
        self.library.espeak_Synchronize()
        return _resample(np.concatenate(self.pieces) / 32768.0, self.rate), self.phonemes


@functools.cache
def find():
    """espeak-ng, or None where it is not installed."""
    library = ctypes.util.find_library("espeak-ng")
    return Espeak(library) if library else None


def _resample(samples, rate):
    """To 16 kHz, by cutting the spectrum."""
    spectrum = np.fft.rfft(samples)
    count = len(samples) * RATE // rate
    keep = count // 2 + 1
    return np.fft.irfft(spectrum[:keep], count) * (count / len(samples))
