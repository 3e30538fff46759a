"""docs/INVARIANTS.md names only what exists, and its mutants are noticed by tests of their own section.

A section of the document is `## N. Name` with a table of four rows: `enforced by` (each symbol is followed by
the file that has it), `watched by` (checkers of the simulator), `tests` and `mutants`.
"""
import fnmatch
import posixpath
import re
import tomllib

import threats

ABOUT = "docs/INVARIANTS.md: seven invariants, each with code, checker, tests and mutants that exist"

DOCUMENT = "docs/INVARIANTS.md"
CHECKERS = "src/sim/node_checkers.cpp"
PLANTED = "src/sim/scenarios/planted_bug.hpp"
MUTANTS = "tools/mutants/mutants.toml"
ROWS = ("enforced by", "watched by", "tests", "mutants")
_FILE = re.compile(r"\(\[file\]\(([^)]+)\)\)")


def sections(text):
    """(line, title, {row: cell}) of each invariant."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if match := re.match(r"## (\d+\. .+)", line):
            found.append((number, match.group(1), {}))
        elif found and (row := re.match(r"\| ([a-z ]+) \| (.*) \|$", line)):
            found[-1][2][row.group(1)] = row.group(2)
    return found


def checkers(tree):
    """The names of the simulator's checkers for which a bug is planted."""
    named = set(re.findall(r'name\(\) const override \{ return "([^"]+)"; \}', tree.text(CHECKERS))) if CHECKERS in tree.files() else set()
    planted = set(re.findall(r'PlantedBugRow\{[^"}]*"([^"]+)"\}', tree.text(PLANTED))) if PLANTED in tree.files() else set()
    return named & planted


def notices(mutant, test):
    """Would the mutant's gtest filter run this test, and not only because it runs all?"""
    positive, _, negative = mutant["tests"].partition("-")
    return (any(p != "*" and fnmatch.fnmatchcase(test, p) for p in positive.split(":") if p) and
            not any(fnmatch.fnmatchcase(test, n) for n in negative.split(":") if n))


def named_code(cell):
    """(symbols, link) of each file of a cell: the symbols stand before it, after the last file or semicolon."""
    for part in cell.split(";"):
        at = 0
        for match in _FILE.finditer(part):
            yield re.findall(r"`([^`]+)`", part[at:match.start()]), match.group(1)
            at = match.end()


def missing_code(tree, cell):
    """What is wrong with the symbols of a row and the files that should have them."""
    for symbols, link in named_code(cell):
        path = posixpath.normpath(posixpath.join(posixpath.dirname(DOCUMENT), link))
        if path not in tree.files():
            yield f"there is no file {path}"
            continue
        code = tree.code(path) if path.endswith((".cpp", ".hpp")) else tree.text(path)
        for symbol in symbols:
            if not re.search(rf"\b{re.escape(symbol.split('::')[-1])}\b", code):
                yield f"{path} has no {symbol}"


def judge(tree, rows, known, tests, mutants):
    yield from missing_code(tree, rows["enforced by"])
    if not any(symbols for symbols, _ in named_code(rows["enforced by"])):
        yield "names no code that enforces it"
    watched = re.findall(r"`([a-z][^`]* [^`]*)`", rows["watched by"])
    yield from (f"there is no checker '{name}' with a planted bug" for name in watched if name not in known)
    yield from missing_code(tree, rows["watched by"])
    if not watched:
        yield "names no checker"
    named = re.findall(r"`([^`]+)`", rows["tests"])
    yield from (f"there is no test {name}" for name in named if name not in tests)
    shown = re.findall(r"`([^`]+)`", rows["mutants"])
    if not named or not shown:
        yield "names no test, or no mutant"
    for name in shown:
        if name not in mutants:
            yield f"there is no mutant {name}"
        elif not any(notices(mutants[name], test) for test in named):
            yield f"no test of the section is one that mutant {name} names"


def run(tree):
    if DOCUMENT not in tree.files():
        return []
    tests = threats.all_tests(tree)
    listed = tomllib.loads(tree.text(MUTANTS)).get("mutant", []) if MUTANTS in tree.files() else []
    mutants = {mutant["name"]: mutant for mutant in listed}
    known = checkers(tree)
    found = sections(tree.text(DOCUMENT))
    problems = []
    if len(found) != 7:
        problems.append(f"{DOCUMENT}: has {len(found)} invariants, not seven")
    for line, title, rows in found:
        lacking = [row for row in ROWS if row not in rows]
        wrong = [f"has no row '{row}'" for row in lacking] or judge(tree, rows, known, tests, mutants)
        problems += [f"{DOCUMENT}:{line}: {title}: {problem}" for problem in wrong]
    return problems
