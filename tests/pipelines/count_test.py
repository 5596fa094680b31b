# SPDX-License-Identifier: MIT
"""scripts/count_tests.py: a test is a program; the cases skipped within it are counted and named too."""
import json
import subprocess
import sys

import support

COUNT = support.SOURCE / "scripts/count_tests.py"
GTEST = """[ RUN      ] A.Passes
[       OK ] A.Passes (0 ms)
[ RUN      ] A.Skips
../a.cpp:3: Skipped
no
device
[  SKIPPED ] A.Skips (0 ms)
[ RUN      ] X/B.Says/1
../a.cpp:5: Skipped

[  SKIPPED ] X/B.Says/1 (12 ms)
[  PASSED  ] {passed} tests.
[  SKIPPED ] 2 tests, listed below:
[  SKIPPED ] A.Skips
[  SKIPPED ] X/B.Says/1
"""


class CountTest(support.ToolTest):
    PROGRAM = '''
import sys
import unittest


class Case(unittest.TestCase):
    def test_a(self):
        pass

    def test_b(self):
        """What it is about."""
        self.skipTest("no 'root' here")

    def test_c(self):
        for value in (1, 2):
            with self.subTest(value=value):
                if value == 2:
                    self.skipTest("too large")

    def test_d(self):
        print("torn", file=sys.stderr)
        self.skipTest("unseen")


unittest.main(verbosity=2)
'''

    def count(self, *entries):
        log = self.folder / "testlog.json"
        log.write_text("".join(json.dumps(entry) + "\n" for entry in entries), encoding="utf-8")
        result = support.run(sys.executable, COUNT, log)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout, result.stderr.splitlines()

    def test_programs(self):
        entry = {"name": "x", "stdout": "first\nno CUDA device\n"}
        counted, said = self.count(*({**entry, "result": result}
                                     for result in ("OK", "SKIP", "FAIL", "TIMEOUT", "EXPECTEDFAIL", "ERROR")))
        self.assertEqual(counted, "2 3 1\n")
        self.assertEqual(said, ["skip  x: no CUDA device", "FAIL  x (FAIL)", "FAIL  x (TIMEOUT)", "FAIL  x (ERROR)"])

    def test_cases_of_gtest(self):
        some, none = ({"name": "g", "result": "OK", "stdout": GTEST.format(passed=passed)} for passed in (1, 0))
        self.assertEqual(self.count(some), ("1 0 2\n", ["skip  g, A.Skips: no device",
                                                        "skip  g, X/B.Says/1: no reason given"]))
        self.assertEqual(self.count(none), ("0 0 1\n", ["skip  g: no device"]))

    def test_cases_of_unittest(self):
        ran = subprocess.run([sys.executable, "-c", self.PROGRAM], capture_output=True, text=True, check=True)
        entry = {"name": "u", "result": "OK", "stdout": ran.stdout, "stderr": ran.stderr}
        self.assertEqual(self.count(entry), ("1 0 3\n", [
            "skip  u, test_b: no 'root' here", "skip  u, test_c: too large", "skip  u, a case: no reason given"]))


if __name__ == "__main__":
    support.main()
