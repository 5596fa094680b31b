#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Renders the standard set of portraits and voices, measures how like real speech the videos are,
prints a table of bars and writes DIR/report.html with contact sheets and curves.

    tests/likeness/run.py [--quick] [--model PACK ...] [--unseen-model SPEAKER=PACK ...]

Needs the judge's Python (scripts/setup.sh --tests). Portraits, sounds and clips are those of tests/data
and of the folder that TALKFACE_TEST_DATA may name, which is arranged alike: GRID's other clips."""
import argparse
import sys
from pathlib import Path

import environment
import judge_python  # which environment makes known


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=environment.SOURCE / "out/likeness", metavar="DIR")
    parser.add_argument("--build", type=Path, default=environment.SOURCE / "build", metavar="DIR")
    parser.add_argument("--quick", action="store_true", help="a few portraits, voices and clips")
    parser.add_argument("--model", nargs="+", default=["auwarp"], metavar="PACK",
                        help="packs to measure: names or folders")
    parser.add_argument("--unseen-model", action="append", default=[], metavar="SPEAKER=PACK",
                        help="a pack trained without this speaker (talkface-train --folds): measures "
                        "it on the speaker's clips; may be repeated")
    parser.add_argument("--portraits", metavar="NUMBERS", help="only these, such as 02,08")
    parser.add_argument("--clips", type=int, metavar="N", help="only so many of GRID's clips")
    parser.add_argument("--only", nargs="+", choices=["sync", "closures", "rest", "standard"],
                        help="only these parts")
    parser.add_argument("--readme-picture", type=Path, metavar="PATH",
                        help="also write a sheet of the standard set, .png or .jpg")
    arguments = parser.parse_args()
    for unseen in arguments.unseen_model:
        if not all(unseen.partition("=")):
            parser.error(f"--unseen-model {unseen}: give SPEAKER=PACK")
    if arguments.readme_picture and arguments.readme_picture.suffix not in (".png", ".jpg"):
        parser.error(f"--readme-picture {arguments.readme_picture}: give a .png or .jpg file")
    return arguments


def main():
    arguments = read_arguments()
    try:
        found = environment.find(arguments.build)
        judge_python.enter()
        from suite import run_suite  # pylint: disable=import-outside-toplevel
        print(run_suite(found, arguments))
    except environment.Missing as missing:
        sys.exit(f"likeness: {missing}")
    print(f"likeness: the report is {arguments.output / 'report.html'}")


if __name__ == "__main__":
    main()
