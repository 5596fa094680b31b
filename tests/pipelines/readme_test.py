# SPDX-License-Identifier: MIT
"""The gst-launch lines of the README and of the element reference run as they are printed."""
import re
import shlex

import support

PAGES = ("README.md", "docs/element.md")


def launch_lines(page):
    """The gst-launch lines of its code blocks, lines joined at backslashes."""
    text = (support.SOURCE / page).read_text(encoding="utf-8")
    for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            if line.startswith("gst-launch-1.0 "):
                yield line


class LaunchLinesTest(support.ToolTest):
    def test_every_line(self):
        support.write_png(self.folder / "portrait.jpg", 128, 128)  # the reader goes by content
        support.write_wav(self.folder / "speech.wav", support.tone(16000))
        lines = [(page, line) for page in PAGES for line in launch_lines(page)]
        self.assertGreaterEqual(len(lines), 3)
        for page, line in lines:
            with self.subTest(page=page, line=line):
                words = shlex.split(line)
                # Where there is no screen or loudspeaker, and no face in the picture.
                words = ["fakesink" if w.startswith("auto") and w.endswith("sink") else w for w in words]
                at = next(i for i, w in enumerate(words) if w.startswith("talkfacegen"))
                words.insert(at + 1, "model=fake")
                result = support.run(*words, cwd=self.folder)
                self.assertEqual(result.returncode, 0, result.stderr)
                if "location=talking.mp4" in words:
                    self.assertEqual(support.video_frames(self.folder / "talking.mp4"), 25)


if __name__ == "__main__":
    support.main()
