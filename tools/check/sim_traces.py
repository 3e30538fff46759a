"""The same seeds give the same traces, whichever compiler built the simulator: one that differs has found unspecified order
of evaluation, an uninitialised value or an iteration over addresses. Comes after `gcc`, which builds one of the two."""
import pathlib
import re
import subprocess

from tree import first_failure

ABOUT = "seeds give the same traces when built by clang (preset dev) and by g++-12 (preset gcc)"
FILTER = "--gtest_filter=Traces.*"


def traces_of(output):
    return dict(re.findall(r"^trace: (\S+ \d+) ([0-9a-f]{16})$", output, re.M))


def differences(one, other):
    if len(one) < 10:
        return [f"only {len(one)} traces were printed"]
    names = sorted(one.keys() | other.keys())
    return [f"{name}: {one.get(name)} by clang, {other.get(name)} by g++"
            for name in names if one.get(name) != other.get(name)]


def run(tree):
    problems = first_failure(tree, [command for preset in ("dev", "gcc") for command in (
        ["cmake", "-S", ".", "--preset", preset],
        ["cmake", "--build", f"build/{preset}", "--target", "sim_node_test"])])
    if problems:
        return problems
    traces = {}
    for preset in ("dev", "gcc"):
        binary = pathlib.Path(tree.root) / "build" / preset / "bin" / "sim_node_test"
        done = subprocess.run([binary, FILTER], capture_output=True, text=True, timeout=600, check=False)
        if done.returncode != 0:
            return [f"{preset}: {FILTER} failed", *done.stdout.splitlines()[-5:]]
        traces[preset] = traces_of(done.stdout)
    return differences(traces["dev"], traces["gcc"])
