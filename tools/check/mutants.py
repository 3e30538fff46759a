"""A few of the mutants of tools/mutants, in targets that are cheap to build: their tests must notice."""
import subprocess
import sys

ABOUT = "a few broken invariants make a named test fail (./dev mutants breaks all of them)"


def run(tree):
    if "tools/mutants/mutants.toml" not in tree.files():
        return ["tools/mutants/mutants.toml: missing, so that nothing shows that the tests bite"]
    done = subprocess.run([sys.executable, "tools/mutants/run.py", "--few"], cwd=tree.root, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, errors="replace")
    if done.returncode == 0:
        return []
    return ["./dev mutants --few failed:"] + [line for line in (done.stdout + done.stderr).splitlines()
                                              if " killed " not in line][-40:]
