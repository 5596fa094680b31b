# SPDX-License-Identifier: MIT
"""The Python in which the judge runs: it has LiteRT, OpenCV and NumPy."""
import os
import sys
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
PYTHON = SOURCE / ".venv-judge/bin/python"


def enter():
    """Starts the program again in the judge's Python, unless it runs there already."""
    if not PYTHON.exists():
        sys.exit(f"the judge's Python {PYTHON} is not there: run scripts/setup.sh --tests")
    if Path(sys.prefix) != PYTHON.parents[1]:
        os.execv(PYTHON, [str(PYTHON), *sys.argv])
