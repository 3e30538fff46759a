"""./dev mutants: shows that the tests bite. Each mutant breaks one invariant; a named test must fail.

    ./dev mutants            all of tools/mutants/mutants.toml
    ./dev mutants NAME...    some
    ./dev mutants --few      those marked `few`
    ./dev mutants --list     what there is

Works in a copy of the tree (build/mutants/tree, preset quick), so nothing here is touched. A mutant is killed
when the tests that it names pass without it, and fail or hang with it (name quick ones: a hang is one minute). One that does not build, whose text is not found
exactly once, or whose tests are none, is an error of the list and fails the run too.
"""
import functools
import os
import pathlib
import shutil
import subprocess
import sys
import time
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
COPY = ROOT / "build" / "mutants" / "tree"
LIST = ROOT / "tools" / "mutants" / "mutants.toml"
TEST_SECONDS = 60
FIELDS = {"name", "why", "file", "old", "new", "target", "tests"}


class ListError(Exception):
    """The list of mutants is wrong, or the tree that they change does not build."""


def load():
    with open(LIST, "rb") as file:
        mutants = tomllib.load(file)["mutant"]
    names = set()
    for mutant in mutants:
        missing = FIELDS - mutant.keys()
        if missing or mutant.keys() - FIELDS - {"few"}:
            raise ListError(f"{mutant.get('name', '?')}: has not exactly the fields {sorted(FIELDS)}")
        if mutant["name"] in names:
            raise ListError(f"{mutant['name']}: stands there twice")
        names.add(mutant["name"])
    return mutants


def copy_tree():
    """Brings the copy up to date without touching what is equal, so that little is built again."""
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True,
                            capture_output=True, text=True).stdout.splitlines()
    wanted = {path for path in listed if (ROOT / path).is_file()}
    COPY.mkdir(parents=True, exist_ok=True)
    for path in wanted:
        source, target = ROOT / path, COPY / path
        if target.is_file() and target.read_bytes() == source.read_bytes():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
    for target in COPY.rglob("*"):
        path = target.relative_to(COPY)
        if target.is_file() and path.parts[0] != "build" and str(path) not in wanted:
            target.unlink()


def build(targets):
    # As if it were a checkout of its own: then ccache has what another one built.
    environment = {**os.environ, "CCACHE_BASEDIR": str(COPY), "CCACHE_NOHASHDIR": "1"}
    done = subprocess.run(["cmake", "--build", "build/quick", "--target", *targets], cwd=COPY, env=environment,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.returncode == 0, done.stdout


def prepare(targets):
    copy_tree()
    configured = subprocess.run(["cmake", "-S", ".", "--preset", "quick"], cwd=COPY, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True)
    if configured.returncode != 0:
        raise ListError("the copy cannot be configured:\n" + configured.stdout)
    built, output = build(sorted(targets))
    if not built:
        raise ListError("the copy does not build without a mutant:\n" + output[-4000:])


def run_tests(mutant, *options):
    """(passed, output) of the mutant's tests, as the copy is built now."""
    program = COPY / "build" / "quick" / "bin" / mutant["target"]
    # The copy lies elsewhere, but the vectors are the tree's own.
    environment = {"ETHNET_VECTORS": str(ROOT.parent / "shared" / "vectors"), **os.environ}
    try:
        done = subprocess.run([str(program), f"--gtest_filter={mutant['tests']}", *options], cwd=COPY, env=environment,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TEST_SECONDS,
                              text=True, errors="replace", stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return False, "timed out"
    return done.returncode == 0, done.stdout


@functools.cache
def passes_unbroken(target, tests):
    return run_tests({"target": target, "tests": tests})


def sound(mutant):
    """None when the mutant can be judged: its text is there, and its tests are some and pass without it."""
    found = (COPY / mutant["file"]).read_text().count(mutant["old"])
    if found != 1:
        return f"its text stands {found} times in {mutant['file']}"
    if not any(line.startswith("  ") for line in run_tests(mutant, "--gtest_list_tests")[1].splitlines()):
        return "its filter names no test"
    passed, output = passes_unbroken(mutant["target"], mutant["tests"])
    return None if passed else "its tests fail without it:\n" + output[-1500:]


def judge(mutant):
    """None when the mutant is killed, else what is wrong."""
    path = COPY / mutant["file"]
    original = path.read_text()
    try:
        path.write_text(original.replace(mutant["old"], mutant["new"]))
        built, output = build([mutant["target"]])
        passed = built and run_tests(mutant, "--gtest_fail_fast")[0]
    finally:
        path.write_text(original)
    if not built:
        return "it does not build:\n" + output[-1500:]
    return "SURVIVED: its tests pass with it" if passed else None


def run(mutants):
    """[(name, what is wrong)] of those that were not killed."""
    prepare({mutant["target"] for mutant in mutants})
    # All before the first change: afterwards what is built is some mutant's.
    unsound = {mutant["name"]: problem for mutant in mutants if (problem := sound(mutant))}
    wrong = []
    for mutant in mutants:
        started = time.monotonic()
        problem = unsound.get(mutant["name"]) or judge(mutant)
        print(f"mutant {mutant['name']:44} {'killed' if problem is None else 'FAILED':6} "
              f"{time.monotonic() - started:6.1f} s  {mutant['why']}", flush=True)
        if problem:
            print("  " + problem, flush=True)
            wrong.append((mutant["name"], problem))
    return wrong


def main(arguments):
    mutants = load()
    if "--list" in arguments:
        for mutant in mutants:
            print(f"{mutant['name']:44} {'few' if mutant.get('few') else '   '} {mutant['why']}")
        return 0
    if "--few" in arguments:
        mutants = [mutant for mutant in mutants if mutant.get("few")]
    elif arguments:
        unknown = set(arguments) - {mutant["name"] for mutant in mutants}
        if unknown:
            raise ListError(f"no such mutant: {', '.join(sorted(unknown))} (--list shows all)")
        mutants = [mutant for mutant in mutants if mutant["name"] in arguments]
    wrong = run(mutants)
    print(f"mutants: {len(mutants) - len(wrong)} killed, {len(wrong)} not")
    return 1 if wrong else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except ListError as error:
        sys.exit(f"mutants: {error}")
