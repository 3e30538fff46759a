"""docs/THREATS.md names only tests that exist."""
import re

from tree import is_test

ABOUT = "every test that docs/THREATS.md names exists, and every row names one"

DOCUMENT = "docs/THREATS.md"
_TEST = re.compile(r"\b(?:TEST|TEST_F|TEST_P|RC_GTEST_PROP|RC_GTEST_FIXTURE_PROP)\(\s*(\w+)\s*,\s*(\w+)\s*[,)]")


def run(tree):
    if DOCUMENT not in tree.files():
        return []
    tests = {f"{suite}.{name}" for path in tree.cpp() if is_test(path) for suite, name in _TEST.findall(tree.text(path))}
    problems = []
    for number, line in enumerate(tree.text(DOCUMENT).splitlines(), 1):
        if not re.match(r"\|\s*\d", line):
            continue
        named = re.findall(r"`(\w+\.\w+)`", line.rsplit("|", 2)[1])
        if not named:
            problems.append(f"{DOCUMENT}:{number}: the row names no test as `Suite.Name`")
        problems += [f"{DOCUMENT}:{number}: there is no test {name}" for name in named if name not in tests]
    return problems
