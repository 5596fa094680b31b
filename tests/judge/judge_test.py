# SPDX-License-Identifier: MIT
"""The judge's programs on a real clip: beside itself, beside another speaker's, and on what has no face."""
import json
import subprocess
import unittest
from pathlib import Path

FOLDER = Path(__file__).parent
DATA = FOLDER.parent / "data"
CLIP, OTHER = DATA / "grid/s1/video/bbaf2n.mpg", DATA / "grid/speakers/lbax4n.mpg"

PORTRAIT = DATA / "portraits/22_grid_glasses_m.png"


def run(program, *arguments):
    return subprocess.run([FOLDER / program, *arguments], check=False, capture_output=True, text=True)


class JudgeTest(unittest.TestCase):
    def figures(self, program, *arguments):
        result = run(program, *arguments)
        self.assertEqual(result.returncode, 0, result.stderr)
        return json.loads(result.stdout)

    def test_sync(self):
        same = self.figures("judge.py", CLIP, "--reference", CLIP, "--portrait", PORTRAIT)
        self.assertEqual((same["frames"], same["fps"], same["size"]), (75, 25.0, [360, 288]))
        self.assertEqual((same["face_found"], same["r_open"], same["r_width"], same["lag_ms"]), (1, 1, 1, 0))
        self.assertGreater(same["far_change"], 1)  # another person's
        late = self.figures("judge.py", CLIP, "--reference", CLIP, "--offset", "80")
        self.assertEqual((late["lag_ms"], late["r_open_best"]), (80, 1))
        other = self.figures("judge.py", CLIP, "--reference", OTHER)
        self.assertLess(other["r_open"], 0.8)

    def test_presence(self):
        same = self.figures("presence.py", CLIP, "--real", CLIP)
        self.assertEqual(set(same["score"].values()), {1})
        self.assertGreater(same["real"]["gap_p95"], 0.01)
        other = self.figures("presence.py", OTHER, "--real", CLIP)
        self.assertLess(other["score"]["lip_dynamics"], 1)

    def test_no_face(self):
        picture = DATA / "negative/noface_coffee.png"
        for program, more in (("judge.py", []), ("presence.py", ["--real", CLIP])):
            result = run(program, picture, *more)
            self.assertEqual(result.returncode, 1)
            self.assertIn(f"no face found in {picture}", result.stderr)
        result = run("judge.py", CLIP, "--portrait", CLIP)
        self.assertEqual(result.returncode, 1)
        self.assertIn(f"no picture could be read from {CLIP}", result.stderr)


if __name__ == "__main__":
    unittest.main()
