# SPDX-License-Identifier: MIT
"""The standard set: which portraits, voices and clips."""
import subprocess
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from environment import MORE, SOURCE, Missing

RATE = 16000
PORTRAITS = {
    "01": "01_astronaut_collins.png", "02": "02_obama_official_2012.jpg",
    "04": "04_grace_hopper_glasses.jpg", "06": "06_lincoln_1863_beard_bw.jpg",
    "08": "08_monalisa.jpg", "10": "10_bouguereau_child.jpg", "14": "14_cartoon_sylvie_rgba.png",
    "22": "22_grid_glasses_m.png", "23": "23_grid_moustache_darkskin_m.png"}
SYNC_PORTRAITS = ("02", "06", "08", "22")
CLOSED_PORTRAITS = ("06", "08", "22")  # no teeth shown: width can be judged (portrait 02 smiles)
SPEECH_SECONDS = 5.0                   # of each voice in the standard set
# Clips whose picture does not belong to their sound: this one's mouth rests from 2.0 s on, its voice
# from 2.5 s.
UNUSABLE = ("bwbt8p",)
MODEL_CARD = SOURCE / "models/packs/auwarp/MODEL_CARD.md"


@dataclass(frozen=True)
class Clip:
    """A real video of somebody speaking."""
    speaker: str
    name: str
    path: Path


def portrait(data, number):
    return data.need(f"portraits/{PORTRAITS[number]}")


def unseen_names():
    """The clips of GRID's speaker 1 that the committed pack was not trained on."""
    text = MODEL_CARD.read_text(encoding="utf-8")
    listed = text.split("## Clips never trained on", 1)[1].split("##")[0]
    names = [entry.split()[1] for entry in listed.split(",") if entry.split()[0] == "s1"]
    return [name for name in names if name not in UNUSABLE]


def unseen_clips(data):
    """Those of them that are there."""
    paths = {name: data.find(f"grid/s1/video/{name}.mpg") for name in unseen_names()}
    clips = [Clip("s1", name, path) for name, path in paths.items() if path]
    if not clips:
        raise Missing(f"missing in the sources, restore: the clips of {data.folders[0] / 'grid/s1/video'}")
    return clips


def speaker_clips(data, speaker):
    """Clips of another speaker, named as in the model card (x-m-asian: x_m_asian_a, _b)."""
    stem = speaker.replace("-", "_")
    paths = data.glob(f"grid/speakers/{stem}*.mpg") + data.glob(f"video/{stem}*.mp4")
    clips = [Clip(speaker, path.stem, path) for path in paths if "noaudio" not in path.name]
    if not clips:
        where = " or ".join(str(folder) for folder in data.folders)
        raise Missing(f"no clips of speaker '{speaker}' in grid/speakers and video of {where}: {MORE} may "
                      "name a folder that has them")
    return clips


def decode(path, seconds=None):
    """The sound of a file: float samples at 16 kHz, mono."""
    limit = [] if seconds is None else ["-t", str(seconds)]
    raw = subprocess.run(["ffmpeg", "-v", "error", "-i", str(path), *limit, "-f", "f32le", "-ac", "1",
                          "-ar", str(RATE), "-"], check=True, capture_output=True).stdout
    return np.frombuffer(raw, np.float32)


def write_wav(path, samples):
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as out:
        out.setparams((1, 2, RATE, 0, "NONE", ""))
        out.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return path


def sound_of(clip, folder):
    """A clip's sound as a wav file that begins with its picture."""
    return write_wav(folder / f"{clip.speaker}-{clip.name}.wav", decode(clip.path))


def voices(data, folder):
    """Name to wav file: the first seconds of each voice of the standard set."""
    sources = {"GRID speaker 1": unseen_clips(data)[0].path,
               "English man": data.need("speech/en_jfk_11s_16k.wav"),
               "English woman": data.need("speech/en_librivox_austen_0870.wav"),
               "Mandarin": data.need("speech/zh_aishell_S0724W0121.wav")}
    return {name: write_wav(folder / f"{name.replace(' ', '-')}.wav", decode(path, SPEECH_SECONDS))
            for name, path in sources.items()}


def rest_sounds(data, folder):
    """What is no speech, each after a second and a half of speech: name to (wav, its start in s)."""
    speech = decode(data.need("speech/en_jfk_11s_16k.wav"), 1.5)
    noise = decode(data.need("nonspeech/noise_pink_8s.wav"), 4)
    noise = noise * (10 ** (-40 / 20) / np.sqrt(np.mean(noise ** 2)))
    sounds = {"silence": np.zeros(4 * RATE, np.float32), "pink noise": noise,
              "music": decode(data.need("nonspeech/music_sunflower_15s_16k.wav"), 6)}
    return {name: (write_wav(folder / f"rest-{name.replace(' ', '-')}.wav",
                             np.concatenate([speech, sound])), len(speech) / RATE)
            for name, sound in sounds.items()}
