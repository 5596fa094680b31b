# SPDX-License-Identifier: MIT
"""The likeness suite on one portrait and one clip: it runs, and its report holds what it measured."""
import os
import re
import sys
from pathlib import Path

import environment

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "pipelines"))
import support  # pylint: disable=wrong-import-position

BUILD = os.environ.get("TALKFACE_BUILD", environment.SOURCE / "build")
RUN = Path(__file__).with_name("run.py")
NUMBER = r"-?\d+\.\d+"


class SmokeTest(support.ToolTest):
    def test_one_portrait(self):
        try:
            environment.find(BUILD)
        except environment.Missing as missing:
            self.skipTest(str(missing))
        picture = self.folder / "sheet.png"
        result = support.run(RUN, "--quick", "--portraits", "22", "--clips", "1", "--build", BUILD,
                             "--output", self.folder, "--readme-picture", picture, timeout=880)
        self.assertEqual(result.returncode, 0, result.stderr)
        report = (self.folder / "report.html").read_text(encoding="utf-8")
        for what in (rf"r_open.*mean {NUMBER}", rf"gain_open.*mean {NUMBER}", "GRID words, .* closures",
                     rf"rest, portrait 22, music: .*{NUMBER}", "outside twice the face box.*change 0 levels",
                     r"blinks, portrait 22.*[1-9] seen", "no face in 0 frames"):
            self.assertRegex(result.stdout, re.compile(what))
            self.assertRegex(re.sub(r"</?t[dr][^>]*>", "|", report), re.compile(what))
        self.assertGreaterEqual(report.count("data:image/jpeg;base64,"), 4)
        self.assertEqual(report.count("<svg"), 2)
        self.assertLessEqual(picture.stat().st_size, 300_000)

    def test_says_what_is_missing(self):
        for variable, wanted in (("TALKFACE_JUDGE", "no judge.py in"),
                                 ("TALKFACE_TEST_DATA", "no portraits in")):
            nowhere = self.folder / "nowhere"
            result = support.run(RUN, "--build", BUILD, env={variable: str(nowhere)})
            self.assertEqual(result.returncode, 1)
            if "is not there" not in result.stderr:  # something else is absent here, and named
                self.assertIn(wanted, result.stderr)
                self.assertIn(str(nowhere), result.stderr)
                self.assertIn(variable, result.stderr)
        result = support.run(RUN, "--unseen-model", "obama")
        self.assertEqual(result.returncode, 2)
        self.assertIn("SPEAKER=PACK", result.stderr)


if __name__ == "__main__":
    support.main()
