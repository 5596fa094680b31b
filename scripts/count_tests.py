# SPDX-License-Identifier: MIT
"""Prints "PASSED FAILED SKIPPED" of meson's testlog.json, and names on stderr what did not pass.

A test is a program. One that passed while some of its cases were skipped counts as passed, and each such case as skipped;
one that skipped everything counts as skipped, once."""
import json
import re
import sys

PASSED = {"OK", "EXPECTEDFAIL"}
NO_REASON = "no reason given"
# GoogleTest: "FILE:LINE: Skipped", the reason, and the case; in its summary the cases alone.
GTEST_CASE = re.compile(r"^\[  SKIPPED \] (\S+\.[^\s,]+).* \(\d+ ms\)$", re.MULTILINE)
GTEST_REASON = re.compile(r"^\S+:\d+: Skipped\n(.*?)^\[  SKIPPED \] ", re.MULTILINE | re.DOTALL)
GTEST_NONE_RAN = re.compile(r"^\[  PASSED  \] 0 tests\.$", re.MULTILINE)
# unittest with verbosity 2: the case, a subtest's values, the first line of its text, "... skipped 'reason'".
UNITTEST_CASE = re.compile(r"^ *(\w+) \([\w.]+\)(?: [\[(].*?)?(?:\n.*?)?? \.\.\. skipped (['\"])(.*)\2$", re.MULTILINE)
UNITTEST_COUNT = re.compile(r"^OK \(.*\bskipped=(\d+)", re.MULTILINE)


def gtest_cases(text):
    """[(case, reason)] of what GoogleTest skipped."""
    cases = []
    for case in GTEST_CASE.finditer(text):
        begin = max(text.rfind("[ RUN      ]", 0, case.start()), 0)
        reason = GTEST_REASON.search(text, begin, case.end())
        cases.append((case[1], " ".join(reason[1].split()) if reason else ""))
    return cases


def unittest_cases(text):
    """[(case, reason)] of what unittest skipped."""
    cases = [(case[1], case[3]) for case in UNITTEST_CASE.finditer(text)]
    count = UNITTEST_COUNT.search(text)
    unnamed = int(count[1]) - len(cases) if count else 0
    return cases + [("a case", "")] * unnamed  # whose line the program's own output has torn


def last_line(test):
    lines = (test.get("stdout") or test.get("stderr") or "").strip().splitlines()
    return lines[-1] if lines else NO_REASON


def count(test):
    """(passed, failed, skipped, lines that say what did not pass) of one entry of the log."""
    name, result = test["name"], test["result"]
    if result == "SKIP":
        return 0, 0, 1, [f"skip  {name}: {last_line(test)}"]
    if result not in PASSED:
        return 0, 1, 0, [f"FAIL  {name} ({result})"]
    stdout, stderr = test.get("stdout") or "", test.get("stderr") or ""
    of_gtest = gtest_cases(stdout)
    if of_gtest and GTEST_NONE_RAN.search(stdout):
        return 0, 0, 1, [f"skip  {name}: {of_gtest[0][1] or NO_REASON}"]
    cases = of_gtest + unittest_cases(stderr)
    return 1, 0, len(cases), [f"skip  {name}, {case}: {reason or NO_REASON}" for case, reason in cases]


def main(path):
    total = [0, 0, 0]
    with open(path, encoding="utf-8") as log:
        for line in log:
            *counts, said = count(json.loads(line))
            total = [a + b for a, b in zip(total, counts)]
            print(*said, sep="\n", end="\n" if said else "", file=sys.stderr)
    print(*total)


if __name__ == "__main__":
    main(sys.argv[1])
