# SPDX-License-Identifier: MIT
"""Real portraits with the default model: each good one renders, each bad one is refused in time."""
import os
import resource
import subprocess

import support
from support import data_files, talkface

LIMIT_S = 10  # of processor time, within which a picture that cannot be used is refused


class PortraitsTest(support.ToolTest):
    def setUp(self):
        super().setUp()
        self.speech = support.write_wav(self.folder / "speech.wav", support.tone(8000))

    def render(self, image, name="talking.mp4"):
        return talkface("render", "-i", image, "-a", self.speech, "-o", self.folder / name)

    def assert_refused(self, image):
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        result = self.render(image)
        self.assert_fails(result)
        self.assertLess(resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before, LIMIT_S)
        return result.stderr

    def test_every_portrait_renders(self):
        for image in data_files("portraits"):
            with self.subTest(image=image.name):
                self.assert_works(self.render(image))
                self.assertEqual(support.video_frames(self.folder / "talking.mp4"), 13)

    def test_colours_are_the_same_in_every_file(self):
        """At a size where H.264 and VP8 are taken for different standards of colour."""
        portrait = next(p for p in data_files("portraits") if p.name.startswith("02_"))
        pictures = []
        for name in ("talking.mp4", "talking.webm"):
            self.assert_works(self.render(portrait, name))
            pictures.append(subprocess.run(
                ["ffmpeg", "-v", "error", "-i", self.folder / name, "-frames:v", "1", "-vf",
                 "scale=16:16:flags=area", "-pix_fmt", "rgb24", "-f", "rawvideo", "-"],
                check=True, capture_output=True).stdout)
        for channel in range(3):
            means = [sum(p[channel::3]) / (16 * 16) for p in pictures]
            self.assertAlmostEqual(*means, delta=1)

    def test_pictures_without_a_usable_face_are_refused(self):
        for image in data_files("negative"):
            with self.subTest(image=image.name):
                said = self.assert_refused(image)
                self.assertIn("face", said)
                self.assertIn(image.name, said)

    def test_broken_files_are_refused(self):
        good = support.write_png(self.folder / "good.png", 300, 300).read_bytes()
        huge = bytearray(good)
        huge[16:24] = (20000).to_bytes(4, "big") * 2
        contents = {"empty.png": b"", "truncated.png": good[:len(good) // 2], "text.jpg": b"hello",
                    "huge.png": bytes(huge)}
        for name, content in contents.items():
            with self.subTest(name=name):
                (self.folder / name).write_bytes(content)
                self.assertIn(name, self.assert_refused(self.folder / name))
        if os.geteuid() != 0:  # root may read everything
            secret = self.folder / "secret.png"
            secret.write_bytes(good)
            secret.chmod(0)
            self.assertIn("Permission denied", self.assert_refused(secret))


if __name__ == "__main__":
    support.main()
