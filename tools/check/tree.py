"""What every check sees of the repository: the tracked files, their text, and their code.

A check is a module in this folder with ABOUT (one line) and `run(tree) -> list[str]`, the problems it
found, each as `path:line: what is wrong and what to do instead`. bad/ and selftest.py show that each
check can fail.
"""
import functools
import os
import pathlib
import re
import subprocess

CPP = (".cpp", ".hpp")


class Tree:
    def __init__(self, root, files=None):
        """`files`: paths relative to root; by default what git tracks or would track."""
        self.root = pathlib.Path(root)
        self._files = files if files is not None else self._git_files()

    def _git_files(self):
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=self.root, check=True, capture_output=True, text=True).stdout
        return sorted({f for f in listed.split("\0") if f and (self.root / f).is_file()})

    def files(self, *suffixes, under=""):
        return [f for f in self._files if f.startswith(under) and (not suffixes or f.endswith(suffixes))]

    def cpp(self, under=""):
        return self.files(*CPP, under=under)

    def product(self):
        """C++ files of src/ that are not tests."""
        return [f for f in self.cpp("src/") if not is_test(f)]

    @functools.lru_cache(maxsize=None)
    def text(self, path):
        return (self.root / path).read_text(encoding="utf-8", errors="replace")

    @functools.lru_cache(maxsize=None)
    def code(self, path):
        """The text with comments and the insides of string and character literals blanked, line by line."""
        return blank_comments_and_strings(self.text(path))


def is_test(path):
    return path.endswith(("_test.cpp", "_test.hpp")) or path.startswith("tests/") or "/testing/" in path


_TOKEN = re.compile(
    r"""//[^\n]*(?:\\\n[^\n]*)*            # line comment
      | /\*.*?\*/                          # block comment
      | R"(?P<tag>[^()\\\s]{0,16})\(.*?\)(?P=tag)"   # raw string
      | "(?:\\.|[^"\\\n])*"                # string
      | (?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'  # character, not a digit separator
    """, re.X | re.S)


def blank_comments_and_strings(text):
    def blank(match):
        token = match.group(0)
        if token.startswith("/"):
            return re.sub(r"[^\n]", " ", token)
        line_start = text.rfind("\n", 0, match.start()) + 1
        if re.match(r"\s*#\s*include\b", text[line_start:match.start()] or ""):
            return token
        return token[0] + re.sub(r"[^\n]", " ", token[1:-1]) + token[-1]

    return _TOKEN.sub(blank, text)


def matches(tree, path, pattern):
    """(line number, match) for each match of `pattern` in the code of `path`."""
    code = tree.code(path)
    for match in re.finditer(pattern, code):
        yield code.count("\n", 0, match.start()) + 1, match


def first_failure(tree, steps):
    """Runs command lines in the tree; the problem with the first that fails, as a list, or []."""
    environment = {**os.environ, "CCACHE_BASEDIR": str(tree.root), "CCACHE_NOHASHDIR": "1"}
    for step in steps:
        done = subprocess.run(step, cwd=tree.root, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0:
            lines = (done.stdout + done.stderr).strip().splitlines()
            telling = [line for line in lines if re.search(r"error|FAILED|Failed|undefined reference|Error", line)
                       and not re.match(r"/usr/bin/(ccache|cmake)", line.strip())]
            return [f"{' '.join(step[:5])} failed:"] + (telling or lines)[-40:]
    return []
