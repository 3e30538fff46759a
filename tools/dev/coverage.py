"""./dev cov: lines and branches of the core that the tests reached, by module, and where most is missing.

    coverage.py [--missed FILE] PROFDATA PROGRAM...

--missed writes every way out that no test takes into FILE, by source file and line.

docs/COVERAGE.md says for each file that misses much why that is so, and what is counted. A file that misses
much without a row there, and a row of a file that misses nothing of note, are failures.
"""
import collections
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DOCUMENT = ROOT / "docs" / "COVERAGE.md"
MUCH = 12  # ways out of one file; below that a list of reasons would be longer than the conditions themselves
LITTLE = 6  # a row goes when its file misses less; between the two, random tests reach one more or one less
# The edges of CMakeLists.txt, and sim: the laboratory itself.
NOT_CORE = tuple(f"src/{module}/" for module in ("census", "control", "lab", "observe", "runtime", "sim", "sim_file"))
# Tests, and what only tests include.
NOT_COUNTED = r"(_test\.[ch]pp$|/testing/|/test_chain\.hpp$|/naive_chains\.hpp$|/usr/|/tests/|/apps/|/bench/)"


def export(profile, programs):
    command = ["llvm-cov-19", "export", f"-instr-profile={profile}", f"-ignore-filename-regex={NOT_COUNTED}", programs[0]]
    for program in programs[1:]:
        command += ["-object", program]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["data"][0]


def core_path(filename):
    """The path from the root of a file of the core, None of another."""
    path = os.path.relpath(filename, ROOT)
    inside = path.startswith("src/") and not path.startswith(NOT_CORE)
    return path if inside and not re.search(NOT_COUNTED, "/" + path) else None


class Source:
    """A file's text, and where in it the branches are that are not counted."""

    def __init__(self, text):
        self.text = text
        self.starts = [0]
        for line in text.split("\n"):
            self.starts.append(self.starts[-1] + len(line) + 1)
        # A macro's own conditions (CHECK, TRY), and those in what a CHECK demands.
        self.spans = [m.span() for m in re.finditer(r"^[ \t]*#[ \t]*define [^\n]*", self.joined(), re.M)]
        self.spans += [(m.start(), self.closing(m.end())) for m in re.finditer(r"\bCHECK\(", text)]

    def joined(self):
        """The text with each continued line made one with the next, of the same length."""
        return self.text.replace("\\\n", "\\ ")

    def closing(self, at):
        """Where the parenthesis ends that was opened just before `at`."""
        depth = 1
        while depth > 0 and at < len(self.text):
            depth += {"(": 1, ")": -1}.get(self.text[at], 0)
            at += 1
        return at

    def ways(self, branch):
        """Which of the two ways out of a branch count, and the text of its condition."""
        begin = self.starts[branch[0] - 1] + branch[1] - 1
        end = self.starts[branch[2] - 1] + branch[3] - 1
        condition = self.text[begin:end]
        if any(first <= begin < last for first, last in self.spans):
            return "", condition
        if re.match(r"(case\b|default$)", condition):
            return "T", condition  # "not this case" is another case
        if self.text[:begin].endswith("switch ("):
            return "", condition  # no case at all: the compiler refuses a switch that leaves out a name
        return "TF", condition


def merged_branches(functions):
    """path -> {(line, column, line, column): [times true, times false]}, over every use of a template or header."""
    out = collections.defaultdict(dict)
    for function in functions:
        for branch in function["branches"]:
            path = core_path(function["filenames"][branch[6]])
            if path is not None:
                taken = out[path].setdefault(tuple(branch[:4]), [0, 0])
                taken[0] += branch[4]
                taken[1] += branch[5]
    return out


def count_branches(functions):
    """path -> (ways out, [(line, way, condition)] of those that no test takes)."""
    out = {}
    for path, branches in merged_branches(functions).items():
        source = Source((ROOT / path).read_text(encoding="utf-8"))
        ways, missed = 0, []
        for where, taken in sorted(branches.items()):
            counted, condition = source.ways(where)
            ways += len(counted)
            missed += [(where[0], way, " ".join(condition.split()))
                       for way, times in zip("TF", taken) if way in counted and times == 0]
        out[path] = (ways, missed)
    return out


def summaries(data, branches):
    """path -> (lines, covered lines, ways out, ways taken), of the core."""
    out = {}
    for file in data["files"]:
        path = core_path(file["filename"])
        if path is not None:
            lines = file["summary"]["lines"]
            ways, missed = branches.get(path, (0, []))
            out[path] = (lines["count"], lines["covered"], ways, ways - len(missed))
    return out


def write_missed(name, branches):
    with open(name, "w", encoding="utf-8") as out:
        for path, (_, missed) in sorted(branches.items(), key=lambda item: (-len(item[1][1]), item[0])):
            for line, way, condition in missed:
                print(f"{path}:{line}: never {'true' if way == 'T' else 'false'}: {condition}", file=out)


def percent(part, whole):
    return 100.0 if whole == 0 else 100 * part / whole


def row(name, values):
    lines, lines_covered, branches, branches_covered = values
    return (f"{name:32} {lines:7} {percent(lines_covered, lines):6.1f} % {branches:8} "
            f"{percent(branches_covered, branches):6.1f} %")


def total(entries):
    return tuple(sum(column) for column in zip(*entries)) or (0, 0, 0, 0)


def main(*arguments):
    missed_name = None
    if arguments[0] == "--missed":
        missed_name, arguments = arguments[1], arguments[2:]
    data = export(arguments[0], arguments[1:])
    branches = count_branches(data["functions"])
    if missed_name is not None:
        write_missed(missed_name, branches)
    files = summaries(data, branches)
    modules = {}
    for path, values in files.items():
        modules.setdefault(os.path.dirname(path), []).append(values)
    print(f"{'module':32} {'lines':>7} {'covered':>8} {'branches':>8} {'covered':>8}")
    for module in sorted(modules):
        print(row(module, total(modules[module])))
    print(row("the core", total(files.values())))
    explained = set(re.findall(r"^\| \[`([^`]+)`\]", DOCUMENT.read_text(encoding="utf-8"), re.M))
    missing = {path: v[2] - v[3] for path, v in files.items() if v[2] - v[3] >= MUCH}
    print(f"\nfiles with {MUCH} or more ways out of a condition that no test takes:")
    for path, count in sorted(missing.items(), key=lambda item: -item[1]):
        print(f"{path:56} {count:5}  {'' if path in explained else 'NO REASON in docs/COVERAGE.md'}")
    stale = sorted(path for path in explained if path not in files or files[path][2] - files[path][3] < LITTLE)
    for path in stale:
        print(f"docs/COVERAGE.md gives a reason for {path}, which misses less than {LITTLE}")
    return 1 if stale or missing.keys() - explained else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
