# SPDX-License-Identifier: MIT
"""The Dockerfile, as far as that can be seen without Docker: scripts/check_dockerfile.sh, as root, runs its stages."""
import re

import support
from support import SOURCE, run


class DockerfileTest(support.ToolTest):
    def setUp(self):
        super().setUp()
        result = self.assert_works(run(SOURCE / "scripts/check_dockerfile.sh", "--plan"))
        self.plan = re.findall(r"^check_dockerfile: (\S+) (.*)$", result.stdout, re.MULTILINE)

    def test_stages(self):
        self.assertEqual([word for word, _ in self.plan],
                         "FROM WORKDIR COPY RUN COPY RUN FROM RUN USER WORKDIR ENTRYPOINT CMD".split())
        self.assertEqual(dict(self.plan)["USER"], "1000")
        for base in (rest for word, rest in self.plan if word == "FROM"):
            self.assertRegex(base, r"^debian:[a-z]+-slim\b")

    def test_copied_files_are_there(self):
        copied = [name for word, rest in self.plan if word == "COPY" for name in rest.split()[:-1]]
        self.assertGreater(len(copied), 2)
        for name in copied:
            self.assertTrue((SOURCE / name).exists(), name)

    def test_set_up_reads_what_was_copied_for_it(self):
        copied = next(rest for word, rest in self.plan if word == "COPY").split()[:-1]
        read = set(re.findall(r"scripts/[\w.-]+\.txt", (SOURCE / "scripts/setup.sh").read_text(encoding="utf-8")))
        optional = {f"scripts/requirements-{part}.txt" for part in ("torch", "cuda", "style", "judge")}
        self.assertEqual(set(copied) - {"scripts/setup.sh"}, read - optional)


if __name__ == "__main__":
    support.main()
