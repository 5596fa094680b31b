#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the sounds with known phonemes that `talkface-train speech --phones FOLDER` learns from.

  make_training_speech.py --clips CLIPS --output FOLDER

* training_sentences.txt spoken by espeak-ng and flite in many voices, pitches and speeds; both tell
  where their phonemes are;
* the GRID clips of CLIPS (from `talkface prepare`), whose words the file name spells, aligned by
  pocketsphinx;
* music of random notes, played by fluidsynth with the FluidR3 instruments.

Each file is FOLDER/SPEAKER_CLIP.safetensors: audio int16 [N] at 16 kHz, phones int32 [N / 320], the
class of each 20 ms (-1: not known), metadata speaker and clip. A file named as a prepared clip gives
that clip its phonemes. Wanted: Debian's espeak-ng, flite, fluidsynth and fluid-soundfont-gm, PyPI's
numpy, safetensors and pocketsphinx. The same seed makes the same files.
"""
import argparse
import ctypes
import json
import pathlib
import random
import shutil
import struct
import subprocess
import tempfile
import wave

import numpy as np
from safetensors.numpy import save_file

RATE = 16000
STEP = 320  # samples a label stands for
# The classes, numbered as models/families/auwarp/speech/speech_net.h's Phone.
REST, BILABIAL, LABIODENTAL, ROUNDED, OPEN, OTHER = range(6)
IPA = {"pbmɓʙ": BILABIAL, "fvɱ": LABIODENTAL, "wuʊoɔyøœʃʒɹɥʉ": ROUNDED, "aɑæʌɒɐ": OPEN}
ARPA = {"P B M": BILABIAL, "F V": LABIODENTAL, "W UW UH OW AO OY SH ZH CH JH R": ROUNDED,
        "AA AE AH AY AW": OPEN, "SIL PAU +SPN+ +NSN+ (NULL)": REST}
GRID_WORDS = [
    {"b": "bin", "l": "lay", "p": "place", "s": "set"},
    {"b": "blue", "g": "green", "r": "red", "w": "white"},
    {"a": "at", "b": "by", "i": "in", "w": "with"},
    None,
    dict(zip("z123456789", "zero one two three four five six seven eight nine".split())),
    {"a": "again", "n": "now", "p": "please", "s": "soon"},
]
SOUND_FONT = "/usr/share/sounds/sf2/FluidR3_GM.sf2"


def class_of_ipa(name):
    """Of an IPA name, which may carry stress and length marks."""
    if not name or name.startswith(("_", " ")):
        return REST
    for letter in name:
        for letters, number in IPA.items():
            if letter in letters:
                return number
        if letter.isalpha() and letter not in "ˈˌː":
            return OTHER
    return REST


def class_of_arpa(name):
    name = name.upper().rstrip("012")
    for names, number in ARPA.items():
        if name in names.split():
            return number
    return OTHER


def labels(count, spans):
    """Class of each step, by what sounds in its middle. Spans are (begin, end, class) in seconds."""
    phones = np.full(count // STEP, -1, np.int32)
    middles = (np.arange(len(phones)) + 0.5) * STEP / RATE
    for begin, end, number in spans:
        phones[(middles >= begin) & (middles < end)] = number
    return phones


def resample(audio, rate):
    """Linear between samples, after a mean over what becomes one: enough for synthetic voices."""
    if rate == RATE:
        return audio
    width = max(1, int(rate / RATE))
    smooth = np.convolve(audio, np.ones(width) / width, "same") if width > 1 else audio
    return np.interp(np.arange(0, len(audio) - 1, rate / RATE), np.arange(len(audio)), smooth)


def write(folder, speaker, clip, audio, phones):
    audio = np.clip(np.asarray(audio), -32767, 32767).astype(np.int16)
    audio = audio[: len(phones) * STEP]
    save_file({"audio": audio, "phones": np.ascontiguousarray(phones[: len(audio) // STEP], np.int32)},
              folder / f"{speaker}_{clip}.safetensors", {"speaker": speaker, "clip": clip})


class EspeakEvent(ctypes.Structure):
    _fields_ = [("type", ctypes.c_int), ("identifier", ctypes.c_uint), ("text_position", ctypes.c_int),
                ("length", ctypes.c_int), ("audio_position", ctypes.c_int), ("sample", ctypes.c_int),
                ("user_data", ctypes.c_void_p), ("text", ctypes.c_char * 8)]


class Espeak:
    """libespeak-ng, which tells its phonemes while it speaks."""

    RETRIEVE, PHONEMES_IN_IPA, PHONEME_EVENT, UTF8 = 2, 3, 7, 1
    SPEED, PITCH, PITCH_RANGE = 1, 3, 4
    CLOSED_BEFORE = 0.04  # seconds: a stop is told at its burst; the loudness falls this much before

    def __init__(self):
        self.library = ctypes.CDLL("libespeak-ng.so.1")
        self.rate = self.library.espeak_Initialize(self.RETRIEVE, 0, None, self.PHONEMES_IN_IPA)
        callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int,
                                    ctypes.POINTER(EspeakEvent))
        self.callback = callback(self.take)
        self.library.espeak_SetSynthCallback(self.callback)
        self.audio, self.phones = [], []

    def take(self, samples, count, events):
        if samples and count > 0:
            self.audio.append(np.ctypeslib.as_array(samples, (count,)).copy())
        at = 0
        while events[at].type != 0:
            if events[at].type == self.PHONEME_EVENT:
                name = bytes(events[at].text).split(b"\0")[0].decode("utf-8", "ignore")
                self.phones.append((events[at].audio_position / 1000, class_of_ipa(name)))
            at += 1
        return 0

    def say(self, text, voice, speed, pitch, pitch_range):
        self.audio, self.phones = [], []
        if self.library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise SystemExit(f"espeak-ng has no voice {voice}: install Debian's espeak-ng-data")
        for parameter, value in ((self.SPEED, speed), (self.PITCH, pitch), (self.PITCH_RANGE, pitch_range)):
            self.library.espeak_SetParameter(parameter, value, 0)
        data = text.encode() + b"\0"
        self.library.espeak_Synth(data, len(data), 0, 1, 0, self.UTF8, None, None)
        self.library.espeak_Synchronize()
        audio = np.concatenate(self.audio).astype(float)
        ends = [begin for begin, _ in self.phones[1:]] + [len(audio) / self.rate]
        spans = [(begin - (self.CLOSED_BEFORE if number == BILABIAL else 0), end, number)
                 for (begin, number), end in zip(self.phones, ends)]
        audio = resample(audio, self.rate)
        return audio, labels(len(audio), spans)


def say_with_flite(text, voice, stretch):
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        told = subprocess.run(["flite", "-voice", voice, "--setf", f"duration_stretch={stretch}", "-psdur",
                               "-t", text, "-o", file.name], check=True, capture_output=True, text=True).stdout
        with wave.open(file.name) as sound:
            rate = sound.getframerate()
            audio = np.frombuffer(sound.readframes(sound.getnframes()), np.int16).astype(float)
    spans, begin = [], 0.0
    for word in told.split():
        name, end = word.rsplit(":", 1)
        spans.append((begin, float(end), class_of_arpa(name)))
        begin = float(end)
    audio = resample(audio, rate)
    return audio, labels(len(audio), spans)


def make_voices(folder, sentences, chance):
    espeak = Espeak()
    variants = ["m1", "m3", "m7", "f1", "f2", "f4", "f5", "Annie", "linda", "steph", "klatt2", "klatt4"]
    english = ["en", "en-us", "en-gb-scotland", "en-gb-x-rp", "en-029"]
    for number in range(12):
        variant = variants[number % len(variants)]
        joined, phones = [], []
        for language, text in chance.sample(sentences, 16):
            base = chance.choice(english) if language == "en" else language
            # Pitches of 0 to 99: children are at the top.
            said, said_phones = espeak.say(text, f"{base}+{variant}", chance.randint(120, 230),
                                           chance.randint(20, 99), chance.randint(20, 80))
            gain = 10 ** (chance.uniform(-12, 0) / 20)
            joined.append(said[: len(said_phones) * STEP] * gain)
            phones.append(said_phones)
        write(folder, f"espeak-{variant}", str(number), np.concatenate(joined), np.concatenate(phones))
    english_only = [text for language, text in sentences if language == "en"]
    for voice in ("slt", "rms", "awb", "kal16"):
        joined, phones = [], []
        for text in chance.sample(english_only, 16):
            said, said_phones = say_with_flite(text, voice, round(chance.uniform(0.85, 1.3), 2))
            joined.append(said[: len(said_phones) * STEP])
            phones.append(said_phones)
        write(folder, f"flite-{voice}", "0", np.concatenate(joined), np.concatenate(phones))


def grid_text(clip):
    """"bbaf2n" is "bin blue at f two now"; None where a name is no such code."""
    if len(clip) != len(GRID_WORDS):
        return None
    words = [letter if table is None else table.get(letter) for letter, table in zip(clip, GRID_WORDS)]
    return None if None in words else " ".join(words)


def read_clip(path):
    """Of a prepared clip, whose tensors lie on even addresses: PyPI's reader forbids the gaps."""
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + size])
    begin, end = (8 + size + offset for offset in header["audio"]["data_offsets"])
    names = header["__metadata__"]
    return names["speaker"], names["clip"], np.frombuffer(data[begin:end], np.int16)


def hear(decoder, audio):
    decoder.start_utt()
    decoder.process_raw(audio.tobytes(), full_utt=True)
    decoder.end_utt()


def align_grid(clips, folder):
    from pocketsphinx import Decoder

    done = 0
    for path in sorted(clips.glob("*.safetensors")):
        speaker, clip, audio = read_clip(path)
        text = grid_text(clip)
        if text is None:
            continue
        decoder = Decoder(samprate=float(RATE), loglevel="FATAL", lm=None)  # one for one text
        decoder.set_align_text(text)
        try:
            hear(decoder, audio)
            if decoder.hyp() is None:
                continue
            decoder.set_alignment()  # of phones, inside the words just found
            hear(decoder, audio)
        except RuntimeError:  # it does not find the words in what is said
            continue
        alignment = decoder.get_alignment()
        spans = []
        for word in alignment:
            for phone in word:
                spans.append((phone.start / 100, (phone.start + phone.duration) / 100, class_of_arpa(phone.name)))
        write(folder, speaker, clip, audio, labels(len(audio), spans))
        done += 1
    print(f"{done} clips aligned")


def varlen(value):
    out = [value & 127]
    while value := value >> 7:
        out.insert(0, 128 | (value & 127))
    return bytes(out)


def midi(chance, seconds):
    """A tune, chords, a bass and drums in a random key, at 480 ticks a quarter of half a second."""
    events = []
    programs = [chance.choice([0, 4, 11, 24, 40, 48, 52, 56, 57, 58, 60, 61, 61, 65, 68, 71, 73, 81]) for _ in range(3)]
    scale = [chance.randint(48, 59) + step for step in (0, 2, 4, 5, 7, 9, 11)]
    for channel, program in enumerate(programs):
        events.append((0, bytes([0xC0 | channel, program])))
    end = int(seconds * 960)

    def play(channel, note, at, length, velocity):
        events.append((at, bytes([0x90 | channel, note, velocity])))
        events.append((at + length, bytes([0x80 | channel, note, 0])))

    unit = chance.choice([120, 160, 240])
    at = 0
    degree = 3
    while at < end:
        length = unit * chance.choice([1, 1, 2, 3])
        degree = max(0, min(6, degree + chance.randint(-2, 2)))
        if chance.random() < 0.85:
            play(0, scale[degree] + chance.choice([12, 12, 24]), at, length, chance.randint(60, 120))
        at += length
    drums = chance.random() < 0.6
    for bar in range(0, end, 960):
        root = chance.randint(0, 6)
        for third in (0, 2, 4):
            play(1, scale[(root + third) % 7], bar, chance.choice([200, 460, 900]), chance.randint(40, 100))
        play(2, scale[root] - 12, bar, 440, 100)
        if drums:
            for beat in range(0, 960, 240):
                play(9, chance.choice([36, 38, 42, 46]), bar + beat, 100, chance.randint(60, 127))
    events.sort(key=lambda event: event[0])
    track, last = b"", 0
    for at, event in events:
        track += varlen(at - last) + event
        last = at
    track += b"\0\xff\x2f\0"
    return (b"MThd" + struct.pack(">IHHH", 6, 0, 1, 480) + b"MTrk" + struct.pack(">I", len(track)) + track)


def make_music(folder, chance, pieces=16, seconds=15):
    for number in range(pieces):
        with tempfile.TemporaryDirectory() as scratch:
            song, sound = pathlib.Path(scratch, "a.mid"), pathlib.Path(scratch, "a.wav")
            song.write_bytes(midi(chance, seconds))
            subprocess.run(["fluidsynth", "-ni", "-q", "-r", str(RATE), "-g", "0.6", "-F", sound, SOUND_FONT, song],
                           check=True, capture_output=True)
            with wave.open(str(sound)) as file:
                stereo = np.frombuffer(file.readframes(file.getnframes()), np.int16).reshape(-1, 2)
        audio = stereo.mean(1)[: seconds * RATE]
        audio *= 10 ** (chance.uniform(-30, -3) / 20) * 32767 / max(np.abs(audio).max(), 1)
        write(folder, "music", str(number), audio, np.full(len(audio) // STEP, REST, np.int32))


def check_tools():
    missing = [tool for tool in ("espeak-ng", "flite", "fluidsynth") if shutil.which(tool) is None]
    if not pathlib.Path(SOUND_FONT).exists():
        missing.append("fluid-soundfont-gm")
    if missing:
        raise SystemExit(f"make_training_speech.py: install {', '.join(missing)} (Debian packages) first.")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--clips", type=pathlib.Path, required=True, help="folder of prepared clips")
    parser.add_argument("--output", type=pathlib.Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    check_tools()
    arguments.output.mkdir(parents=True, exist_ok=True)
    lines = (pathlib.Path(__file__).parent / "training_sentences.txt").read_text().splitlines()
    sentences = [tuple(line.split("\t")) for line in lines if line and not line.startswith("#")]
    make_voices(arguments.output, sentences, random.Random(arguments.seed))
    make_music(arguments.output, random.Random(arguments.seed + 1))
    align_grid(arguments.clips, arguments.output)


if __name__ == "__main__":
    main()
