"""The second opinion: g++-12 builds the core and runs its tests."""
import os
import subprocess

ABOUT = "g++-12 builds the core without a warning, and its tests pass (preset gcc)"


def run(tree):
    environment = {**os.environ, "CCACHE_BASEDIR": str(tree.root), "CCACHE_NOHASHDIR": "1"}
    for step in (["cmake", "-S", ".", "--preset", "gcc"],
                 ["cmake", "--build", "build/gcc"],
                 ["ctest", "--test-dir", "build/gcc", "-j", str(os.cpu_count()), "--output-on-failure", "--no-tests=error", "-Q",
                  "-O", "build/gcc/tests.log"]):
        done = subprocess.run(step, cwd=tree.root, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0:
            log = done.stdout + done.stderr
            if step[0] == "ctest":
                log = (tree.root / "build/gcc/tests.log").read_text()
            return [f"{' '.join(step[:3])} failed:"] + log.strip().splitlines()[-40:]
    return []
