"""docs/TUTORIAL.md, followed to the letter.

Every ```sh fence is run, in order, by one shell that stops at the first failure, in a folder that looks like the clone;
`build/release` there is the build that is tested. The folder is a fixed one, so that ccache finds its objects again. What stands in the ```text fence after it must be said, line by
line and in this order, among others; … stands for anything.
"""

import os
import re
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(__file__))
from package_test import BUILD, SOURCE, builder  # noqa: E402
from support import ProcessTest  # noqa: E402

FOLDER = os.path.join(BUILD, "tutorial_test")
# What whoever runs this has done already.
DONE = ("./dev build",)


def steps():
    """(commands, expected lines) of each ```sh fence."""
    with open(os.path.join(SOURCE, "docs", "TUTORIAL.md"), encoding="utf-8") as file:
        fences = re.findall(r"^```(\w+)\n(.*?)^```$", file.read(), re.M | re.S)
    out = []
    for kind, text in fences:
        if kind == "sh":
            out.append(([line for line in text.splitlines() if line not in DONE], []))
        elif kind == "text":
            out[-1] = (out[-1][0], text.splitlines())
    return out


class Tutorial(ProcessTest):
    def clone(self):
        shutil.rmtree(FOLDER, ignore_errors=True)
        os.makedirs(os.path.join(FOLDER, "build"))
        for name in os.listdir(SOURCE):
            if name != "build":
                os.symlink(os.path.join(SOURCE, name), os.path.join(FOLDER, name))
        os.symlink(BUILD, os.path.join(FOLDER, "build", "release"))

    def run_step(self, commands):
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", "\n".join(commands)], cwd=FOLDER, env=builder(),
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False)
        self.assertEqual(done.returncode, 0, "\n".join([*commands, done.stdout]))
        return done.stdout.splitlines()

    def expect(self, commands, expected, said):
        at = 0
        for line in expected:
            wanted = re.compile(".*".join(re.escape(part) for part in line.rstrip().split("…")))
            while at < len(said) and not wanted.fullmatch(said[at].rstrip()):
                at += 1
            self.assertLess(at, len(said), "\n".join([*commands, f"does not say: {line}", *said]))
            at += 1

    def test_every_command_works_and_says_what_the_tutorial_shows(self):
        self.clone()
        shown = 0
        for commands, expected in steps():
            self.expect(commands, expected, self.run_step(commands))
            shown += len(expected)
        self.assertGreaterEqual(len(steps()), 6)
        self.assertGreaterEqual(shown, 15)


if __name__ == "__main__":
    unittest.main()
