# SPDX-License-Identifier: MIT
"""What is installed, by meson and by the Debian package, works without clone and build folder."""
import os
import re
import shutil
import subprocess
from pathlib import Path

import support
from support import SOURCE, run

BUILD = Path(os.environ.get("TALKFACE_BUILD", SOURCE / "build")).resolve()
LIBRARIES = Path(os.environ.get("TALKFACE_LIBDIR", "lib/x86_64-linux-gnu"))
FORGOTTEN = ("GST_PLUGIN_PATH", "GST_PLUGIN_PATH_1_0", "TALKFACE_ENGINE", "TALKFACE_MODEL_PATH")


def is_elf(path):
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


class PackagingTest(support.ToolTest):
    def setUp(self):
        super().setUp()
        self.root = self.folder / "root"
        self.image = support.write_png(self.folder / "portrait.png")
        self.speech = support.write_wav(self.folder / "speech.wav", support.tone(16000))
        for name in FORGOTTEN:
            os.environ.pop(name, None)
        os.environ["GST_REGISTRY"] = str(self.folder / "registry")

    def check_run_paths(self):
        """Libraries are only looked for in folders that were installed with what looks for them: whoever may
        write to another folder could run code in the processes of others."""
        binaries = [p for p in self.root.rglob("*") if p.is_file() and not p.is_symlink() and is_elf(p)]
        names = {p.name for p in binaries}
        self.assertLessEqual({"talkface", "talkface-train", "libgsttalkface.so", "libtalkface-engine.so",
                              "libtalkface-torch.so", "libtorch_cpu.so"}, names)
        for binary in binaries:
            dynamic = self.assert_works(run("readelf", "--dynamic", binary)).stdout
            for path in re.findall(r"\((?:RPATH|RUNPATH)\).*\[(.*)\]", dynamic):
                for folder in path.split(":"):
                    self.assertRegex(folder, r"^\$ORIGIN(/|$)", f"{binary}: {path}")

    def check_documents(self):
        """Links in what is installed for readers lead to what is installed."""
        pages = list((self.root / "usr/share/doc/talkface").glob("*.md"))
        self.assertGreaterEqual(len(pages), 4)
        for page in pages:
            for link in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
                if not link.startswith("http"):
                    self.assertTrue((page.parent / link).exists(), f"{page.name}: {link}")

    def check_trainer(self):
        trainer = self.root / "usr/bin/talkface-train"
        self.assertIn("speech", self.assert_works(run(trainer, "--help")).stdout)
        exported = self.folder / "exported.pt"
        self.assert_works(run(trainer, "export", "--model", SOURCE / "models/packs/auwarp", "--output", exported))
        self.assertGreater(exported.stat().st_size, 100000)
        loaded = self.assert_works(run("ldd", trainer)).stdout
        self.assertRegex(loaded, rf"libtorch_cpu\.so => {re.escape(str(self.root))}")

    def check_installed(self):
        """The tool, run from `self.root` alone."""
        self.check_run_paths()
        self.check_documents()
        self.check_trainer()
        tool = self.root / "usr/bin/talkface"
        models = self.assert_works(run(tool, "models")).stdout
        folders = re.findall(r" (/\S+)$", models, re.MULTILINE)
        self.assertTrue(folders and all(f.startswith(str(self.root)) for f in folders), models)
        pack = support.write_fake_pack(self.folder / "fake")
        output = self.folder / "talking.mp4"
        # The loader names every library that it initialises.
        log = self.folder / "loaded"
        result = run(tool, "render", "-i", self.image, "-a", self.speech, "-o", output, "-m", pack,
                     env={"LD_DEBUG": "libs", "LD_DEBUG_OUTPUT": str(log)})
        self.assert_works(result)
        self.assertEqual(support.video_frames(output), 25)
        loaded = set()
        for path in self.folder.glob("loaded.*"):
            loaded.update(re.findall(r"calling init: (\S+)", path.read_text(errors="replace")))
        venv = (SOURCE / ".venv").resolve()
        strangers = [l for l in loaded if Path(l).resolve().is_relative_to(BUILD) or
                     Path(l).resolve().is_relative_to(SOURCE) or Path(l).resolve().is_relative_to(venv)]
        self.assertEqual(strangers, [])
        self.assertEqual([l for l in loaded if "torch" in l], [])  # which this model does without
        engine = self.root / "usr" / LIBRARIES / "talkface/libtalkface-engine.so"
        self.assertIn(str(engine), {str(Path(l).resolve()) for l in loaded})
        plugins = {"GST_PLUGIN_PATH_1_0": str(self.root / "usr" / LIBRARIES / "gstreamer-1.0")}
        inspected = self.assert_works(run("gst-inspect-1.0", "talkfacegen", env=plugins)).stdout
        self.assertIn(str(self.root), inspected)

    def test_meson_install(self):
        self.assert_works(run("meson", "install", "-C", BUILD, "--no-rebuild", "--quiet",
                              env={"DESTDIR": str(self.root)}))
        self.check_installed()

    def test_debian_packages(self):
        result = self.assert_works(run(SOURCE / "scripts/make_deb.sh", BUILD, self.folder))
        packages = [Path(line) for line in result.stdout.strip().splitlines()[-2:]]
        self.assertEqual([package.name.split("_")[0] for package in packages], ["talkface", "talkface-torch"])
        self.check_light(packages[0])
        facts = self.assert_works(run("dpkg-deb", "--info", packages[1])).stdout
        self.assertRegex(facts, r"Depends: talkface \(= ")
        for package in packages:
            self.assert_works(run("dpkg", "-x", package, self.root))
        for name in ("man/man1/talkface.1.gz", "man/man1/talkface-train.1.gz", "man/man7/talkfacegen.7.gz",
                     "doc/talkface/copyright", "doc/talkface/changelog.Debian.gz", "doc/talkface-torch/copyright",
                     "doc/talkface-torch/licences/torch-LICENSE.gz"):
            self.assertTrue((self.root / "usr/share" / name).is_file(), name)
        self.check_installed()
        if os.geteuid() == 0 and not shutil.which("talkface"):
            self.check_system_install(packages[0])

    def check_light(self, package):
        """What everybody installs: at most 20 MB to download and 60 MB on disk, without libtorch."""
        self.assertLess(package.stat().st_size, 20e6)
        facts = self.assert_works(run("dpkg-deb", "--info", package)).stdout
        self.assertRegex(facts, r"Depends: .*libgstreamer1\.0-0 .*gstreamer1\.0-plugins-good")
        self.assertLess(int(re.search(r"Installed-Size: (\d+)", facts)[1]), 60000)
        files = self.assert_works(run("dpkg-deb", "--contents", package)).stdout
        self.assertNotIn("torch", files)

    def check_system_install(self, package):
        """Of talkface alone."""
        self.assert_works(run("dpkg", "-i", package))
        try:
            shutil.rmtree(self.root)
            output = self.folder / "system.mp4"
            pack = self.folder / "fake"
            self.assert_works(run("/usr/bin/talkface", "render", "-i", self.image, "-a", self.speech,
                                  "-o", output, "-m", pack))
            self.assertEqual(support.video_frames(output), 25)
            inspected = self.assert_works(run("gst-inspect-1.0", "talkfacegen")).stdout
            self.assertIn(str(LIBRARIES / "gstreamer-1.0/libgsttalkface.so"), inspected)
        finally:
            removed = subprocess.run(["dpkg", "-r", "talkface"], check=False, capture_output=True)
        self.assertEqual(removed.returncode, 0, removed.stderr)


if __name__ == "__main__":
    support.main()
