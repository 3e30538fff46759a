"""README's figures are counted, never typed, and what its status calls done has a test.

./dev facts (and ./dev fmt) writes the table between the marks; the check fails when it is not what the sources say.
Everything is counted from the tracked files, so that it needs no build and is the same everywhere. Lines are those of
code: without blank ones and comments, rounded to the hundred, so that a small change leaves the table alone.
"""
import pathlib
import re
import tomllib

import invariants
import threats
from tree import Tree, is_test

ABOUT = "README.md: its table of figures is what the sources say (./dev facts), and what is done links to a test"

DOCUMENT = "README.md"
BEGIN, END = "<!-- begin: made by ./dev facts -->", "<!-- end: facts -->"
PROTOCOL_CODE = ("chain", "das", "discovery", "peers", "protocol", "session", "transport")
EDGE = ("census", "control", "lab", "observe", "runtime", "sim_file")
RAW_MEMORY = "tools/raw_memory_files.txt"
SEEDS = "apps/sim/seeds_test.cpp"
CROSSED = "src/session/one_session_test.cpp"
FUZZ = "tests/fuzz/targets.cpp"


def text_of(tree, path):
    return tree.text(path) if path in tree.files() else ""


def lines_of_code(tree, paths):
    count = sum(1 for path in paths for line in tree.code(path).splitlines() if line.strip())
    return f"{round(count, -2):,}"


def of_modules(tree, modules):
    return [path for path in tree.product() if path.split("/")[1] in modules]


def protocols(tree):
    """The capabilities that a node can offer."""
    return sorted(name for path in tree.files(".hpp", under="src/protocol/")
                  for name in re.findall(r'kCapability = "([^"]+)"', tree.text(path)))


def page_tests(tree):
    return sum(len(re.findall(r"^ *(?:test|it)\(", tree.text(path), re.M)) for path in tree.files(".test.ts", under="web/test/"))


def seeds(tree):
    """(of whole nodes, of crossed dials) that one ./dev test runs."""
    whole = sum(int(n) for n in re.findall(r"\brun\([^;]*?, (\d+)\);", text_of(tree, SEEDS)))
    crossed = re.search(r'amount\("ETHNET_CROSSED_DIALS", ([\d\']+)\)', text_of(tree, CROSSED))
    return whole, int(crossed.group(1).replace("'", "")) if crossed else 0


def attack_rows(tree):
    """The rows of attacks, each once however many lines it has."""
    found = re.findall(r"^\| (\d+|A\.8 \(\w\)|A\.\d+)", text_of(tree, threats.DOCUMENT), re.M)
    return len(set(found))


def figures(tree):
    """(what, how much, what is counted)."""
    core = [path for path in tree.product() if path.split("/")[1] not in EDGE]
    edge = of_modules(tree, EDGE) + [path for path in tree.cpp("apps/") if not is_test(path)]
    in_process = set(threats.process_tests(tree))
    listed = [line for line in text_of(tree, RAW_MEMORY).splitlines() if ":" in line]
    whole, crossed = seeds(tree)
    known = invariants.checkers(tree)
    planted = re.findall(r"PlantedBugRow\{P", text_of(tree, invariants.PLANTED))
    return [
        ("lines of protocol code", lines_of_code(tree, of_modules(tree, PROTOCOL_CODE)), f"`src/{{{','.join(PROTOCOL_CODE)}}}`"),
        ("lines of the core in all", lines_of_code(tree, core), "those, what they stand on, and the simulator: `src/` without its edge"),
        ("lines of the edge and the programs", lines_of_code(tree, edge), f"`src/{{{','.join(EDGE)}}}`, `apps/`"),
        ("lines of tests", lines_of_code(tree, [path for path in tree.cpp() if is_test(path)]), "C++ alone"),
        ("invariants", len(invariants.sections(text_of(tree, invariants.DOCUMENT))), "[docs/INVARIANTS.md](docs/INVARIANTS.md)"),
        ("checkers of the simulator", len(known), f"after every event; they find {len(planted)} planted bugs"),
        ("protocols", len(protocols(tree)), ", ".join(f"`{name}`" for name in protocols(tree))),
        ("tests", f"{len(threats.cpp_tests(tree)) + len(in_process) + page_tests(tree):,}",
         f"as they are written, {len(in_process)} of whole programs and {page_tests(tree)} of the page among them; one over a table counts once"),
        ("seeds in each `./dev test`", f"{whole + crossed:,}", f"{whole} of whole nodes over real TLS, {crossed:,} of crossed dials"),
        ("fuzz targets", len(re.findall(r'^ +\{"\w+", run_\w+\},', text_of(tree, FUZZ), re.M)), "[tests/fuzz](tests/README.md)"),
        ("mutants", len(tomllib.loads(text_of(tree, invariants.MUTANTS)).get("mutant", [])), "each must be noticed by the tests it names"),
        ("attacks with tests", attack_rows(tree), "[docs/THREATS.md](docs/THREATS.md)"),
        ("files outside the memory-safety rule", f"{len(listed)} of {len(tree.product())}", f"[listed with their reasons]({RAW_MEMORY})"),
    ]


def table(tree):
    rows = [f"| {what} | {value} | {counted} |" for what, value, counted in figures(tree)]
    return "\n".join([BEGIN, "", "| | | what is counted |", "|---|---:|---|", *rows, "", END])


def with_table(tree):
    text = tree.text(DOCUMENT)
    return text[:text.index(BEGIN)] + table(tree) + text[text.index(END) + len(END):]


def status_problems(tree):
    """Each point under **Done** links to a file that is a test."""
    heading = None
    for number, line in enumerate(tree.text(DOCUMENT).splitlines(), 1):
        if line.startswith("## "):
            heading = "" if line == "## Status" else None
        elif heading is not None and (found := re.match(r"\*\*(Done|Next|Planned)\*\*", line)):
            heading = found.group(1)
        elif heading == "Done" and line.startswith("- "):
            links = [link for link in re.findall(r"\]\(([^)]+)\)", line) if "test" in link]
            if not links:
                yield f"{DOCUMENT}:{number}: is called done and links to no test"
            for link in links:
                if link not in tree.files() or not re.search(r"\bTEST|RC_GTEST|def test_|\btest\(|set -", tree.text(link)):
                    yield f"{DOCUMENT}:{number}: {link} is no file of tests"


def run(tree):
    if DOCUMENT not in tree.files():
        return []
    text = tree.text(DOCUMENT)
    problems = list(status_problems(tree))
    if BEGIN not in text or END not in text:
        return problems + [f"{DOCUMENT}: the marks of its table of figures are gone"]
    if with_table(tree) != text:
        problems.append(f"{DOCUMENT}: its figures are not what the sources say: run ./dev facts")
    return problems


if __name__ == "__main__":  # ./dev facts, ./dev fmt
    here = Tree(pathlib.Path(__file__).resolve().parent.parent.parent)
    (here.root / DOCUMENT).write_text(with_table(here))
    for what, value, counted in figures(here):
        plain = re.sub(r"`|\]\([^)]*\)|\[", "", counted)
        print(f"{what:38} {value!s:>10}  {plain}")
