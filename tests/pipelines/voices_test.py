# SPDX-License-Identifier: MIT
"""Speech of each language and file type in tests/data: the video is as long as the speech."""
import support
from support import data_files, probe, talkface


class VoicesTest(support.ToolTest):
    def test_every_voice_is_spoken(self):
        image = support.write_png(self.folder / "portrait.png")
        output = self.folder / "talking.mp4"
        for speech in data_files("speech"):
            with self.subTest(speech=speech.name):
                self.assert_works(talkface("render", "-m", "fake", "-i", image, "-a", speech, "-o", output))
                made = probe(output)
                self.assertIn("audio", made)
                self.assertAlmostEqual(int(made["video"]["nb_read_frames"]) / 25,
                                       float(probe(speech)["format"]["duration"]), delta=0.1)


if __name__ == "__main__":
    support.main()
