# SPDX-License-Identifier: MIT
"""The commands of docs/tutorial.md, in their order: blocks `sh` run to their end, `sh live` till the next `sh` has
ended, `sh setup` not at all. With the family `fake`, and without screen, loudspeaker and microphone. And its example."""
import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

import support
from support import SOURCE, run

FRAMES = 50
STAND_INS = [
    (r"\bautovideosink\b|\bautoaudiosink\b", "fakesink"),
    (r"\bautoaudiosrc\b", "audiotestsrc is-live=true num-buffers=20"),
    (r"\btalkfacegenbin name=face\b", "talkfacegenbin name=face model=fake"),
    (r"\btalkface render\b", "talkface render --model fake"),
    (r"python3 (docs/examples/talk.py .*)", r"/usr/bin/python3 \1 --model fake"),
]
# Slow machines: nothing here passes or fails by time.
PATIENCE = 300


def free_port(kind):
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listens(port):
    """Whether a TCP socket of this machine waits for connections there; connecting would take the only one."""
    return any(f":{port:04X} " in line and line.split()[3] == "0A"
               for line in Path("/proc/net/tcp").read_text().splitlines()[1:])


class TutorialTest(support.ToolTest):
    def setUp(self):
        super().setUp()
        for name in ("tests", "docs"):
            (self.folder / name).symlink_to(SOURCE / name)
        self.environment = {**os.environ, "PATH": f"{Path(support.TOOL).parent}:{os.environ['PATH']}"}
        self.rtmp, self.rtp = free_port(socket.SOCK_STREAM), free_port(socket.SOCK_DGRAM)
        self.running = []
        self.addCleanup(lambda: [process.kill() for process, _ in self.running])

    def blocks(self):
        text = (SOURCE / "docs/tutorial.md").read_text(encoding="utf-8")
        for old, new in [*STAND_INS, (r"\b1935\b", str(self.rtmp)), (r"\b5004\b", str(self.rtp))]:
            text, count = re.subn(old, new, text)
            self.assertGreater(count, 0, old)
        return re.findall(r"```sh( \w+)?\n(.*?)```", text, re.DOTALL)

    def wait_for(self, what, condition):
        end = time.monotonic() + PATIENCE
        while not condition():
            self.assertLess(time.monotonic(), end, what)
            time.sleep(0.1)

    def start(self, command):
        log = self.folder / f"live{len(self.running)}.log"
        with open(log, "w", encoding="utf-8") as out:
            process = subprocess.Popen(["bash", "-c", "exec " + command], cwd=self.folder, env=self.environment,
                                       stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
        self.running.append((process, log))
        ready = (lambda: listens(self.rtmp)) if command.startswith("ffmpeg") else \
            (lambda: "New clock" in log.read_text())
        self.wait_for(f"{command}\n{log.read_text()}", lambda: process.poll() is not None or ready())
        self.assertIsNone(process.poll(), log.read_text())

    def stop_all(self):
        """Ctrl-C in the shell that was opened last; the others end by themselves."""
        if self.running:
            self.running[-1][0].send_signal(signal.SIGINT)
        while self.running:
            process, log = self.running.pop()
            self.assertEqual(process.wait(PATIENCE), 0, log.read_text())

    def test_every_block(self):
        for kind, command in self.blocks():
            if kind == " live":
                self.start(command)
            elif kind != " setup":
                result = run("bash", "-ec", command, cwd=self.folder, env=self.environment, timeout=PATIENCE)
                self.assertEqual(result.returncode, 0, command + result.stderr)
                self.stop_all()
            if command.startswith("cp "):
                support.write_wav(self.folder / "speech.wav", support.tone(FRAMES * 640))  # shorter
        self.assertEqual(self.running, [])
        for name in ("talking.mp4", "piped.mp4", "example.mp4"):
            with self.subTest(file=name):
                self.assertEqual(support.video_frames(self.folder / name), FRAMES)
        self.assertGreater((self.folder / "marked.png").stat().st_size, 1000)
        shown = run("ffprobe", "-v", "error", "-count_packets", "-show_entries", "stream=codec_name,nb_read_packets",
                    "-of", "csv=p=0", self.folder / "received.flv").stdout
        packets = dict(line.split(",") for line in shown.split())
        self.assertEqual(set(packets), {"h264", "aac"})
        self.assertGreaterEqual(int(packets["h264"]), FRAMES)


class ExampleTest(support.ToolTest):
    def talk(self, *arguments):
        return run("/usr/bin/python3", SOURCE / "docs/examples/talk.py", *arguments, timeout=PATIENCE)

    def setUp(self):
        super().setUp()
        self.portrait = support.write_png(self.folder / "a portrait's.png")
        self.speech = support.write_wav(self.folder / "speech.wav", support.tone(FRAMES * 640))
        self.output = self.folder / "talking.mp4"

    def test_makes_a_file(self):
        self.assert_works(self.talk(self.portrait, self.speech, self.output, "--model", "fake"))
        self.assertEqual(support.video_frames(self.output), FRAMES)

    def test_tells_errors(self):
        result = self.talk(self.folder / "nobody.png", self.speech, self.output, "--model", "fake")
        self.assertEqual(result.returncode, 1)
        self.assertIn("nobody.png': there is no such file", result.stderr.splitlines()[0])

    def test_interrupted_file_is_complete(self):
        pack = support.write_fake_pack(self.folder / "slow", delay_ms=50)
        speech = support.write_wav(self.folder / "long.wav", support.tone(16000 * 120))
        command = ["/usr/bin/python3", SOURCE / "docs/examples/talk.py", self.portrait, speech, self.output,
                   "--model", pack]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            end = time.monotonic() + PATIENCE
            while not (self.output.exists() and self.output.stat().st_size > 1000):
                self.assertIsNone(process.poll())
                self.assertLess(time.monotonic(), end)
                time.sleep(0.1)
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 0, errors)
        frames = support.video_frames(self.output)
        self.assertTrue(0 < frames < 120 * 25, frames)


if __name__ == "__main__":
    support.main()
