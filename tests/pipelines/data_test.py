# SPDX-License-Identifier: MIT
"""The sources stand alone: they hold all that their tests read, and name no folder beside them."""
import re
import unittest

from support import DATA, SOURCE, listed_data, main, run

LARGEST_BYTES = 16_000_000
OUTSIDE = re.compile(rb"""[/]shared\b|(^|["'` ])shared(/|["'`])""", re.MULTILINE)


class DataTest(unittest.TestCase):
    def test_tables_name_each_file(self):
        there = {str(path.relative_to(DATA)) for path in DATA.rglob("*")
                 if path.is_file() and path.suffix != ".md" and DATA / "parity" not in path.parents}
        listed = {str(path) for path in listed_data()}
        self.assertEqual(listed - there, set(), "missing in tests/data, though SOURCES.md or cases/README.md names it")
        self.assertEqual(there - listed, set(), "in tests/data, though SOURCES.md and cases/README.md do not name it")
        self.assertGreaterEqual(sum(name.startswith("portraits/") for name in listed), 14)

    def test_size(self):
        self.assertLessEqual(sum(path.stat().st_size for path in DATA.rglob("*") if path.is_file()), LARGEST_BYTES)

    def test_no_file_names_a_folder_outside(self):
        names = run(SOURCE / "scripts/list_files.sh").stdout.split("\0")
        files = [name for name in names if (SOURCE / name).is_file()]
        self.assertGreater(len(files), 100)
        naming = [name for name in files if OUTSIDE.search((SOURCE / name).read_bytes())]
        self.assertEqual(naming, [], "these files name a folder that is not in the sources")


if __name__ == "__main__":
    main()
