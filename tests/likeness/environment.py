# SPDX-License-Identifier: MIT
"""Where things are: the judge and its Python, the test data, the build."""
import os
import sys
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
JUDGE_PYTHON = Path.home() / ".cache/talkface-judge/bin/python"


class Missing(Exception):
    """Something that this needs is not there; the text says what, where and what to do."""


@dataclass(frozen=True)
class Environment:
    judge: Path  # folder of judge.py
    data: Path   # portraits, speech, nonspeech, grid, video
    build: Path  # meson's

    @property
    def tool(self):
        return self.build / "pipelines/cli/talkface"

    @property
    def commanded(self):
        return self.build / "tests/likeness/commanded"

    def variables(self):
        """The environment in which the build's own programs and plugin run."""
        return {**os.environ,
                "TALKFACE_ENGINE": str(self.build / "models/libtalkface-engine.so"),
                "TALKFACE_MODEL_PATH": f"{SOURCE}/models/packs:{self.build}/models/packs",
                "GST_PLUGIN_PATH_1_0": str(self.build / "elements"),
                "GST_REGISTRY": str(self.build / "tests/likeness/registry")}


def find(build):
    """The environment, checked. Throws Missing."""
    judge = Path(os.environ.get("TALKFACE_JUDGE") or SOURCE / "../shared/judge").resolve()
    data = Path(os.environ.get("TALKFACE_TEST_DATA") or SOURCE / "../shared/data").resolve()
    if not (judge / "judge.py").is_file():
        raise Missing(f"no judge.py in {judge}: set TALKFACE_JUDGE to the judge's folder")
    if not JUDGE_PYTHON.exists():
        raise Missing(f"the judge's Python {JUDGE_PYTHON} is not there: run {judge}/setup.sh")
    if not (data / "portraits").is_dir():
        raise Missing(f"no portraits in {data}: set TALKFACE_TEST_DATA to the folder of test data")
    found = Environment(judge, data, Path(build).resolve())
    for program in (found.tool, found.commanded):
        if not program.is_file():
            raise Missing(f"{program} is not there: run scripts/build.sh {build}")
    return found


def enter_judge_python():
    """Goes on in the Python that has MediaPipe, OpenCV and NumPy."""
    if Path(sys.prefix) != JUDGE_PYTHON.parents[1]:
        os.execv(JUDGE_PYTHON, [str(JUDGE_PYTHON), *sys.argv])
