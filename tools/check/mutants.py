"""Every mutant of tools/mutants has its place in the sources; of a few, in targets that are cheap to build, the tests must notice."""
import pathlib
import subprocess
import sys
import tomllib

ABOUT = "each mutant has its place; a few make a named test fail (./dev mutants breaks all of them)"
LIST = "tools/mutants/mutants.toml"


def misplaced(tree):
    """Those that would no longer break anything: the code has moved on."""
    listed = tomllib.loads((pathlib.Path(tree.root) / LIST).read_text()).get("mutant", [])
    out = []
    for mutant in listed:
        path = pathlib.Path(tree.root) / mutant["file"]
        found = path.read_text().count(mutant["old"]) if path.is_file() else 0
        if found != 1:
            out.append(f"{LIST}: {mutant['name']}: its text stands {found} times in {mutant['file']}")
    return out


def run(tree):
    if LIST not in tree.files():
        return [f"{LIST}: missing, so that nothing shows that the tests bite"]
    if found := misplaced(tree):
        return found
    done = subprocess.run([sys.executable, "tools/mutants/run.py", "--few"], cwd=tree.root, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, errors="replace")
    if done.returncode == 0:
        return []
    return ["./dev mutants --few failed:"] + [line for line in (done.stdout + done.stderr).splitlines()
                                              if " killed " not in line][-40:]
