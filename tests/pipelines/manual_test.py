# SPDX-License-Identifier: MIT
"""The manual pages say what the programs take, and are well-formed."""
import os
import re
import unittest

import readme_test
import support
from support import SOURCE, run, talkface

PAGES = SOURCE / "docs/man"
TRAINER = os.environ.get("TALKFACE_TRAIN")


def page_text(name):
    """The page without its marks: "-o, --output file" and the like."""
    shown = run("groff", "-mandoc", "-Tutf8", "-P-c", "-P-b", "-P-u", "-rLL=200n", PAGES / name).stdout
    return re.sub(r"[‐−]", "-", shown)


def options(program):
    """What `program` (a function that runs it) says of itself and of each of its commands: names of commands
    and of options."""
    names, waiting = set(), [()]
    while waiting:
        command = waiting.pop()
        text = program(*command, "--help").stdout
        names.update(re.findall(r"(?:^ +|,)(--?[a-z][a-z0-9-]*)", text, re.MULTILINE))
        head, _, listed = text.partition("\nSubcommands:\n")
        for name in re.findall(r"^  ([a-z][a-z-]*)(?: |$)", listed, re.MULTILINE):
            names.add(name)
            waiting.append((*command, name))
    return names


class ManualTest(support.ToolTest):
    def assert_told(self, page, names):
        text = page_text(page)
        self.assertGreater(len(names), 5)
        missing = [n for n in sorted(names) if not re.search(rf"(?<![\w-]){re.escape(n)}(?![\w-])", text)]
        self.assertEqual(missing, [], page)

    def test_pages_are_well_formed(self):
        pages = sorted(PAGES.iterdir())
        self.assertEqual([p.name for p in pages], ["talkface-train.1", "talkface.1", "talkfacegen.7"])
        for page in pages:
            result = self.assert_works(run("groff", "-mandoc", "-Tutf8", "-ww", "-z", page))
            self.assertEqual(result.stderr, "")

    def test_tool(self):
        self.assert_told("talkface.1", options(talkface))

    @unittest.skipUnless(TRAINER, "built without libtorch, so there is no talkface-train")
    def test_trainer(self):
        self.assert_told("talkface-train.1", options(lambda *arguments: run(TRAINER, *arguments)))

    def test_element(self):
        listed = self.assert_works(run("gst-inspect-1.0", "talkfacegen")).stdout
        # What it inherits is told elsewhere.
        properties = set(re.findall(r"^  ([a-z-]+) +: ", listed.split("Element Properties:")[1], re.MULTILINE))
        self.assert_told("talkfacegen.7", properties - {"name", "parent", "qos", "latency", "emit-signals", "start-time"})

    def test_launch_lines_are_the_documented_ones(self):
        known = {tuple(line.split()) for page in readme_test.PAGES for line in readme_test.launch_lines(page)}
        source = (PAGES / "talkfacegen.7").read_text(encoding="utf-8").replace("\\e\n", " ")
        lines = [tuple(line.split()) for line in source.splitlines() if line.startswith("gst-launch-1.0 ")]
        self.assertEqual(len(lines), 2)
        for line in lines:
            self.assertIn(line, known)


if __name__ == "__main__":
    support.main()
