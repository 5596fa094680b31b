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
DATA = environment.SOURCE / "tests/data"
RUN = Path(__file__).with_name("run.py")
NUMBER = r"-?\d+\.\d+"


class SmokeTest(support.ToolTest):
    def test_one_portrait(self):
        picture = self.folder / "sheet.png"
        result = support.run(RUN, "--quick", "--portraits", "22", "--clips", "1", "--build", BUILD,
                             "--output", self.folder, "--readme-picture", picture)
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

    def test_more_clips(self):
        """TALKFACE_TEST_DATA adds to tests/data."""
        for name, source in (("video/bbifzp.mpg", DATA / "grid/s1/video/pbib9a.mpg"),
                             ("align/bbifzp.align", DATA / "grid/s1/align/pbib9a.align")):
            path = self.folder / "more/grid/s1" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.symlink_to(source)
        counts = {}
        for more in ("", str(self.folder / "more")):
            result = support.run(RUN, "--only", "closures", "--build", BUILD, "--output", self.folder,
                                 env={environment.MORE: more})
            self.assertEqual(result.returncode, 0, result.stderr)
            found = re.search(r"never trained on \| (\d+) of \d+; left out: (.*) \|", result.stdout)
            self.assertEqual("bbifzp" in found[2], not more)
            counts[more] = int(found[1])
        self.assertEqual(counts[str(self.folder / "more")], counts[""] + 1)

    def test_says_what_is_missing(self):
        nowhere = str(self.folder / "nowhere")
        result = support.run(RUN, "--build", BUILD, env={environment.MORE: nowhere})
        self.assertEqual(result.returncode, 1)
        self.assertIn(f"{environment.MORE}={nowhere} is no folder", result.stderr)
        result = support.run(RUN, "--build", nowhere)
        self.assertEqual(result.returncode, 1)
        self.assertIn(f"run scripts/build.sh {nowhere}", result.stderr)
        result = support.run(RUN, "--unseen-model", "obama")
        self.assertEqual(result.returncode, 2)
        self.assertIn("SPEAKER=PACK", result.stderr)


if __name__ == "__main__":
    support.main()
