"""The second opinion: g++-12 builds the core and runs its tests."""
import os

from tree import first_failure

ABOUT = "g++-12 builds the core without a warning, and its tests pass (preset gcc)"


def run(tree):
    return first_failure(tree, (
        ["cmake", "-S", ".", "--preset", "gcc"],
        ["cmake", "--build", "build/gcc", "--", "-k", "0"],
        ["ctest", "--test-dir", "build/gcc", "-j", str(os.cpu_count()), "--output-on-failure", "--no-tests=error"]))
