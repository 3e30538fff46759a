"""docs/THREATS.md names only tests that exist: C++ ones as Suite.Name, those of processes as Class.test_name.

A process test counts when tests/CMakeLists.txt runs it.
"""
import re

from tree import is_test

ABOUT = "every test that docs/THREATS.md names exists, and every row names one"

DOCUMENT = "docs/THREATS.md"
_PROCESS_TESTS = "tests/CMakeLists.txt"
_CLASS_OR_TEST = re.compile(r"^class (\w+)|^    def (test_\w+)\(self", re.M)
_TEST = re.compile(r"\b(?:TEST|TEST_F|TEST_P|RC_GTEST_PROP|RC_GTEST_FIXTURE_PROP)\(\s*(\w+)\s*,\s*(\w+)\s*[,)]")


def process_tests(tree):
    """The tests of tests/process/*.py that are run."""
    run_by_ctest = set(re.findall(r"\w+\.test_\w+", tree.text(_PROCESS_TESTS))) if _PROCESS_TESTS in tree.files() else set()
    for path in tree.files("_test.py", under="tests/process/"):
        suite = ""
        for class_name, test in _CLASS_OR_TEST.findall(tree.text(path)):
            suite = class_name or suite
            if test and f"{suite}.{test}" in run_by_ctest:
                yield f"{suite}.{test}"


def cpp_tests(tree):
    """The C++ tests as Suite.Name; two files may have one of the same name."""
    return [f"{suite}.{name}" for path in tree.cpp() if is_test(path) for suite, name in _TEST.findall(tree.text(path))]


def all_tests(tree):
    """Every test by its name: Suite.Name, and those of processes as Class.test_name."""
    return set(cpp_tests(tree)) | set(process_tests(tree))


def run(tree):
    if DOCUMENT not in tree.files():
        return []
    tests = all_tests(tree)
    problems = []
    for number, line in enumerate(tree.text(DOCUMENT).splitlines(), 1):
        if not re.match(r"\|\s*(\d|A\.\d)", line):
            continue
        named = re.findall(r"`(\w+\.\w+)`", line.rsplit("|", 2)[1])
        if not named:
            problems.append(f"{DOCUMENT}:{number}: the row names no test as `Suite.Name`")
        problems += [f"{DOCUMENT}:{number}: there is no test {name}" for name in named if name not in tests]
    return problems
