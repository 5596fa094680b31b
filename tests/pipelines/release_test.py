# SPDX-License-Identifier: MIT
"""scripts/release.sh: what it refuses, and an archive that holds all files and is always the same. One version."""
import hashlib
import re
import shutil
import tarfile

import support
from support import SOURCE, run

VERSION = re.search(r"^project\(.*[( ]version: '([^']*)'", (SOURCE / "meson.build").read_text()).group(1)
IDENTITY = {f"GIT_{who}_{what}": f"test@{who}.invalid" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


def listed(folder):
    """The files that belong to the repository in `folder`, as our scripts see it."""
    return sorted(run(folder / "scripts/list_files.sh").stdout.rstrip("\0").split("\0"))


class ReleaseTest(support.ToolTest):
    def setUp(self):
        super().setUp()
        self.repo = self.folder / "repo"
        for name in listed(SOURCE):
            if name.startswith("tests/data/") or name.endswith(".safetensors"):
                continue  # large, and nothing here looks into them
            (self.repo / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(SOURCE / name, self.repo / name, follow_symlinks=False)
        self.git("init", "-q")
        self.commit()

    def git(self, *arguments):
        return self.assert_works(run("git", *arguments, cwd=self.repo, env=IDENTITY))

    def commit(self):
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "all")

    def release(self, *options):
        return run(self.repo / "scripts/release.sh", "--source-only", *options, self.folder / "made")

    def edit(self, name, old, new):
        text = (self.repo / name).read_text(encoding="utf-8")
        self.assertIn(old, text)
        (self.repo / name).write_text(text.replace(old, new, 1), encoding="utf-8")

    def test_archive(self):
        archive = self.folder / f"made/talkface-{VERSION}.tar.xz"
        digests = []
        for _ in range(2):
            self.assert_works(self.release("--unreleased"))
            digests.append(hashlib.sha256(archive.read_bytes()).hexdigest())
            self.assertEqual((archive.parent / "SHA256SUMS").read_text(), f"{digests[-1]}  {archive.name}\n")
        self.assertEqual(digests[0], digests[1])
        with tarfile.open(archive) as tar:
            tar.extractall(self.folder)
        # Without git the scripts see the same files, whatever a build left there.
        unpacked = self.folder / f"talkface-{VERSION}"
        for name in (".venv/bin/python", "build-x/a.cpp", "out/talking.mp4", "tests/__pycache__/a.txt", "tests/a.pyc"):
            (unpacked / name).parent.mkdir(parents=True, exist_ok=True)
            (unpacked / name).touch()
        self.assertFalse((unpacked / ".git").exists())
        self.assertEqual(listed(unpacked), listed(self.repo))

    def test_uncommitted(self):
        (self.repo / "stray.txt").touch()
        result = self.release("--unreleased")
        self.assertEqual(result.returncode, 1)
        self.assertIn("stray.txt", result.stderr)

    def test_changelog(self):
        changelog = (self.repo / "CHANGELOG.md").read_text(encoding="utf-8")
        heading = re.search(r"^## .*$", changelog, re.MULTILINE).group()
        self.edit("CHANGELOG.md", heading, f"## {VERSION} (unreleased)")
        self.git("commit", "-q", "-a", "-m", "not yet", "--allow-empty")
        self.assert_fails(self.release("--dry-run"), "CHANGELOG.md", VERSION)
        self.edit("CHANGELOG.md", f"## {VERSION} (unreleased)", f"## {VERSION} (2026-01-31)")
        self.commit()
        self.assert_works(self.release("--dry-run"))
        self.assertFalse((self.folder / "made").exists())
        self.edit("meson.build", f"version: '{VERSION}'", "version: '98.7.6'")
        self.commit()
        self.assert_fails(self.release("--unreleased"), "CHANGELOG.md", "98.7.6")


class VersionTest(support.ToolTest):
    def test_all_say_the_same(self):
        self.assertEqual(self.assert_works(support.talkface("--version")).stdout, f"talkface {VERSION}\n")
        inspected = self.assert_works(run("gst-inspect-1.0", "talkfacegen")).stdout
        self.assertRegex(inspected, rf"(?m)^ +Version +{re.escape(VERSION)}$")
        newest = re.search(r"^## (\S+)", (SOURCE / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
        self.assertEqual(newest.group(1), VERSION)

    def test_no_file_repeats_it(self):
        for name in listed(SOURCE):
            try:
                text = (SOURCE / name).read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue
            with self.subTest(file=name):
                self.assertIsNone(re.search(r"talkface[-_ ][0-9]+\.[0-9]+\.[0-9]+", text))


if __name__ == "__main__":
    support.main()
