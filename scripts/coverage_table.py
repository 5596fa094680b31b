# SPDX-License-Identifier: MIT
"""Prints gcovr's summary (--json-summary) by folder: lines and functions that were run."""
import json
import sys
from collections import Counter
from pathlib import Path


def row(name, sums):
    cells = []
    for kind in ("line", "function"):
        covered, total = sums[kind + "_covered"], sums[kind + "_total"]
        cells.append(f"{100 * covered / max(total, 1):6.1f} % of {total:6}")
    return f"{name:20} {cells[0]} {cells[1]}"


def main(path):
    folders, whole = {}, Counter()
    with open(path, encoding="utf-8") as summary:
        files = json.load(summary)["files"]
    for file in files:
        counts = {key: count for key, count in file.items() if key.endswith(("_covered", "_total"))}
        folders.setdefault(str(Path(file["filename"]).parent), Counter()).update(counts)
        whole.update(counts)
    print(f"{'folder':20} {'lines':>17} {'functions':>17}")
    for name, sums in sorted(folders.items()):
        print(row(name, sums))
    print(row("all", whole))


if __name__ == "__main__":
    main(sys.argv[1])
