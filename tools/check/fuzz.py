"""Every fuzz target for a moment: it builds, has a corpus, and finds nothing at once."""
import re
import subprocess
import sys
import tempfile

from tree import first_failure

ABOUT = "every libFuzzer target runs 2,000 inputs from its corpus and finds nothing (./dev fuzz runs longer)"

RUNS = 2000
SECONDS = 5  # the machines make some hundred connections a second


def smoke(tree, program):
    target = program.name.removesuffix("_fuzz")
    corpus = tree.root / "tests/fuzz/corpus" / target
    if not corpus.is_dir():
        return [f"{corpus.relative_to(tree.root)}: there is no corpus for {program.name}"]
    with tempfile.TemporaryDirectory() as folder:
        # As ./dev fuzz does it.
        done = subprocess.run([sys.executable, str(tree.root / "tools/dev/fuzz.py"), str(program), target, str(SECONDS),
                               f"{folder}/results.txt", f"-runs={RUNS}", "-seed=1", "-timeout=20", "-print_funcs=0",
                               "-print_final_stats=1", "-rss_limit_mb=3000", f"-artifact_prefix={folder}/", folder, str(corpus)],
                              cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
    if done.returncode == 0 and re.search(r"[1-9]\d* executions.*nothing found", done.stdout):
        return []
    return [f"{program.name} found a failure (./dev fuzz {target} keeps the input):"] + done.stderr.splitlines()[-25:]


def run(tree):
    if not tree.files(under="tests/fuzz/"):
        return []
    failure = first_failure(tree, (["cmake", "-S", ".", "--preset", "fuzz"],
                                   ["cmake", "--build", "build/fuzz", "--target", "fuzzers"]))
    if failure:
        return failure
    programs = sorted((tree.root / "build/fuzz/bin").glob("*_fuzz"))
    if not programs:
        return ["build/fuzz/bin holds no fuzz target"]
    return [problem for program in programs for problem in smoke(tree, program)]
