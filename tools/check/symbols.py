"""The node's programs keep the system's clock and entropy; only simulation binaries replace them."""
import subprocess

from tree import first_failure

ABOUT = "the release programs ethnet and EthNetLite define no getrandom, getentropy, clock_gettime or time"

PROGRAMS = ("ethnet", "EthNetLite")
INTERPOSED = {"getrandom", "getentropy", "clock_gettime", "gettimeofday", "time"}


def defined(program):
    """Names that `program` defines itself, exported or not."""
    names = set()
    for options in (["-D", "--defined-only"], ["--defined-only"]):
        listing = subprocess.run(["nm", *options, str(program)], capture_output=True, text=True).stdout
        names |= {line.split()[-1].split("@")[0] for line in listing.splitlines() if line.split()}
    return names


def judge(program):
    return [f"{program.name}: defines {name}: a simulator's object got into the node" for name in sorted(defined(program) & INTERPOSED)]


def run(tree):
    if not tree.files("CMakeLists.txt", under="apps/"):
        return []
    failure = first_failure(tree, (["cmake", "-S", ".", "--preset", "release"],
                                   ["cmake", "--build", "build/release", "--target", *PROGRAMS]))
    if failure:
        return failure
    return [problem for name in PROGRAMS for problem in judge(tree.root / "build/release/bin" / name)]
