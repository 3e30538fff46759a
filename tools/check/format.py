"""Every C++ file is formatted as .clang-format says."""
import re
import subprocess

ABOUT = "clang-format-19 leaves every C++ file as it is (./dev fmt mends it)"


def run(tree):
    files = tree.cpp()
    if not files:
        return []
    done = subprocess.run(["clang-format-19", "--dry-run", "-Werror", *files],
                          cwd=tree.root, capture_output=True, text=True)
    if done.returncode == 0:
        return []
    bad = sorted(set(re.findall(r"^(\S+?):\d+:\d+: error: code should be clang-formatted", done.stderr, re.M)))
    return [f"{path}: not formatted: run ./dev fmt" for path in bad] or [done.stderr.strip()]
