"""./dev cov: lines and branches of the core that the tests reached, by module, and where most is missing.

    coverage.py PROFDATA PROGRAM...

docs/COVERAGE.md says for each file that misses much why that is so. A file that misses much without a
row there, and a row of a file that misses nothing of note, are failures.
"""
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DOCUMENT = ROOT / "docs" / "COVERAGE.md"
MUCH = 12  # branches of one file; fewer are asserts, and cases of a switch that names every value
NOT_CORE = ("src/runtime/", "src/sim/")  # sim is the laboratory itself


def summaries(profile, programs):
    """path -> (lines, covered lines, branches, covered branches), of the core."""
    command = ["llvm-cov-19", "export", "-summary-only", f"-instr-profile={profile}",
               "-ignore-filename-regex=(_test\\.[ch]pp$|/testing/|/usr/|/tests/|/apps/|/bench/)", programs[0]]
    for program in programs[1:]:
        command += ["-object", program]
    data = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    out = {}
    for file in data["data"][0]["files"]:
        path = os.path.relpath(file["filename"], ROOT)
        if path.startswith("src/") and not path.startswith(NOT_CORE):
            lines, branches = file["summary"]["lines"], file["summary"]["branches"]
            out[path] = (lines["count"], lines["covered"], branches["count"], branches["covered"])
    return out


def percent(part, whole):
    return 100.0 if whole == 0 else 100 * part / whole


def row(name, values):
    lines, lines_covered, branches, branches_covered = values
    return (f"{name:32} {lines:7} {percent(lines_covered, lines):6.1f} % {branches:8} "
            f"{percent(branches_covered, branches):6.1f} %")


def total(entries):
    return tuple(sum(column) for column in zip(*entries)) or (0, 0, 0, 0)


def main(profile, *programs):
    files = summaries(profile, programs)
    modules = {}
    for path, values in files.items():
        modules.setdefault(os.path.dirname(path), []).append(values)
    print(f"{'module':32} {'lines':>7} {'covered':>8} {'branches':>8} {'covered':>8}")
    for module in sorted(modules):
        print(row(module, total(modules[module])))
    print(row("the core", total(files.values())))
    explained = set(re.findall(r"^\| \[`([^`]+)`\]", DOCUMENT.read_text(encoding="utf-8"), re.M))
    missing = {path: v[2] - v[3] for path, v in files.items() if v[2] - v[3] >= MUCH}
    print(f"\nfiles with {MUCH} or more branches that no test takes:")
    for path, count in sorted(missing.items(), key=lambda item: -item[1]):
        print(f"{path:56} {count:5}  {'' if path in explained else 'NO REASON in docs/COVERAGE.md'}")
    stale = sorted(explained - missing.keys())
    for path in stale:
        print(f"docs/COVERAGE.md gives a reason for {path}, which misses less than {MUCH}")
    return 1 if stale or missing.keys() - explained else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
