#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The rooms of models/ (docs/architecture.md): no include runs from a lower room to a higher one, or between rooms of
one floor or two families; what runs without libtorch includes none of it; the rest of the project knows of the engine
its header alone; no folder holds more than 40 files, and no source file more than 400 lines.

  rooms_test.py [ROOT]
"""
import os
import re
import subprocess
import sys
import tempfile
import unittest

FLOORS = [["core"], ["imaging", "vision", "speech"], ["portrait", "torch"], ["families"], ["training"]]
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
WITH_TORCH = ["models/torch/", "models/families/mftfg/", "models/training/"]
# Prepared clips are written by the tool and read by the trainer.
HEADERS_OF_ALL = ["models/engine.h", "models/training/clips/"]
MOST_FILES, MOST_LINES = 40, 400
SOURCES = (".h", ".cpp", ".cu")
INCLUDE = re.compile(r'\s*#\s*include\s+["<]([^">]+)[">]')
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def sources(root, *folders):
    for folder in folders:
        for place, _, names in os.walk(os.path.join(root, folder)):
            for name in sorted(names):
                if name.endswith(SOURCES):
                    yield os.path.relpath(os.path.join(place, name), root)


def room_of(path):
    """The room of a path below models/, and of a family its name."""
    parts = path.split("/")
    if parts[0] != "models" or len(parts) < 3:
        return None, None
    return parts[1], parts[2] if parts[1] == "families" and len(parts) > 3 else None


def fault_of(path, target):
    """What is wrong with `path` including `target`, or None."""
    if path.startswith("models/"):
        if target.startswith(("torch/", "ATen/", "c10/")) and not path.startswith(tuple(WITH_TORCH)):
            return "what runs without libtorch includes it"
        room, family = room_of(path)
        other, other_family = room_of(target)
        if room is None or other is None:
            return None
        if room not in FLOOR_OF or other not in FLOOR_OF:
            return f"'{room if room not in FLOOR_OF else other}' is no room"
        if other != room and FLOOR_OF[other] >= FLOOR_OF[room]:
            return f"{room} is no higher than {other}"
        if family and other_family and family != other_family:
            return "a family includes another"
        if other == "torch" and not path.startswith(tuple(WITH_TORCH)):
            return "what runs without libtorch includes it"
    elif target.startswith("models/") and not target.startswith(tuple(HEADERS_OF_ALL)):
        return "only models/engine.h is for all"
    return None


def wrong_includes(root):
    faults = []
    for path in sources(root, "models", "gst", "elements", "pipelines"):
        with open(os.path.join(root, path), encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                found = INCLUDE.match(line)
                fault = found and fault_of(path, found[1])
                if fault:
                    faults.append(f"{path}:{number}: {line.strip()}: {fault}")
    return faults


class Rooms(unittest.TestCase):
    def test_no_include_runs_upwards(self):
        self.assertEqual([], wrong_includes(ROOT))

    def test_a_wrong_include_is_named(self):
        cases = {
            "models/core/a.h": '#include "models/speech/b.h"',
            "models/speech/a.cpp": '#include "models/imaging/b.h"',
            "models/vision/a.cpp": "#include <torch/torch.h>",
            "models/families/one/a.h": '#include "models/families/two/b.h"',
            "models/families/auwarp/a.h": '#include "models/torch/b.h"',
            "elements/a.cpp": '#include "models/core/b.h"',
        }
        with tempfile.TemporaryDirectory() as root:
            for path, line in cases.items():
                os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
                with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                    file.write("// a comment\n" + line + "\n#include <vector>\n")
            faults = wrong_includes(root)
        self.assertEqual(len(cases), len(faults), faults)
        for path, line in cases.items():
            self.assertTrue(any(fault.startswith(f"{path}:2: {line}: ") for fault in faults), (path, faults))

    def test_rooms_can_be_taken_in(self):
        listed = subprocess.run(["git", "-C", ROOT, "ls-files", "models", "gst", "elements", "pipelines", "tests", "scripts"],
                                capture_output=True, text=True, check=False).stdout.split()
        if not listed:
            self.skipTest("not a clone")
        count = {}
        for path in listed:
            if not path.startswith("tests/fuzz/corpus/"):
                count[os.path.dirname(path)] = count.get(os.path.dirname(path), 0) + 1
        self.assertEqual([], [f"{folder}: {files} files" for folder, files in count.items() if files > MOST_FILES])
        long = []
        for path in listed:
            if path.endswith(SOURCES + (".py", ".sh")) and os.path.exists(os.path.join(ROOT, path)):
                with open(os.path.join(ROOT, path), encoding="utf-8") as file:
                    lines = sum(1 for _ in file)
                if lines > MOST_LINES:
                    long.append(f"{path}: {lines} lines")
        self.assertEqual([], long)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        ROOT = os.path.abspath(sys.argv.pop())
    unittest.main()
