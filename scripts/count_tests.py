# SPDX-License-Identifier: MIT
"""Prints "PASSED FAILED SKIPPED" of meson's testlog.json, and names on stderr what did not pass."""
import json
import sys

PASSED = {"OK", "EXPECTEDFAIL"}


def main(path):
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    with open(path, encoding="utf-8") as log:
        for line in log:
            test = json.loads(line)
            kind = "passed" if test["result"] in PASSED else "failed"
            if test["result"] == "SKIP":
                kind = "skipped"
            counts[kind] += 1
            if kind == "skipped":
                reason = (test.get("stdout") or test.get("stderr") or "").strip().splitlines()
                print(f"skip  {test['name']}: {reason[-1] if reason else 'no reason'}", file=sys.stderr)
            elif kind == "failed":
                print(f"FAIL  {test['name']} ({test['result']})", file=sys.stderr)
    print(counts["passed"], counts["failed"], counts["skipped"])


if __name__ == "__main__":
    main(sys.argv[1])
