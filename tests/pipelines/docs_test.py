# SPDX-License-Identifier: MIT
"""What the documents refer to is there: files, headings, and the error messages that troubleshooting quotes."""
import re

import support
from support import SOURCE, run

FOREIGN = {"No such element or plugin"}  # GStreamer's own messages


def pages():
    listed = run(SOURCE / "scripts/list_files.sh").stdout.split("\0")
    return [SOURCE / name for name in listed if name.endswith(".md") and not name.startswith("tests/data/")]


def anchors(page):
    """The names that a host of Markdown gives to a page's headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


class DocsTest(support.ToolTest):
    def test_links(self):
        self.assertGreater(len(pages()), 10)
        for page in pages():
            for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
                if re.match(r"[a-z]+:", target):
                    continue  # the tests need no network
                path, _, anchor = target.partition("#")
                file = page.parent / path if path else page
                with self.subTest(page=page.name, target=target):
                    self.assertTrue(file.exists())
                    if anchor:
                        self.assertIn(anchor, anchors(file))

    def test_quoted_messages(self):
        code = "\n".join(path.read_text(encoding="utf-8") for room in ("gst", "elements", "models", "pipelines")
                         for path in sorted((SOURCE / room).rglob("*.[ch]*")))
        code = re.sub(r'"\s*\n\s*"', "", code)
        rows = re.findall(r"^\| (.*?) \|", (SOURCE / "docs/troubleshooting.md").read_text(encoding="utf-8"), re.MULTILINE)
        quotes = [quote for row in rows for quote in re.findall(r"`([A-Z][^`]* [^`]*)`", row)]
        self.assertGreater(len(quotes), 12)
        for quote in quotes:
            for piece in re.split(r"'[^']*'|\b[NM]\b|cuda:0", quote):
                if len(piece.strip()) > 3 and piece.strip() not in FOREIGN:
                    with self.subTest(quote=quote):
                        self.assertTrue(piece.strip() in code)


if __name__ == "__main__":
    support.main()
