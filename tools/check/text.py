"""What no tracked file may hold: paths of a machine, registry hosts, promises instead of work."""
import re

ABOUT = "no paths of one machine, no package registry hosts, no unfinished-work marks, no tabs at line ends"

# Written so that this file does not match itself.
RULES = [
    (re.compile(r"(?:^|[^\w.])/(?:work|farm|home|tmp|root)/[\w.]"),
     "a path of one machine: use a path relative to the repository or the system's temporary directory"),
    (re.compile(r"https?://[\w.-]*(?:debian|ubuntu|npmjs|golang|crates|pypi|maven)[\w.-]*"), "a package registry's host: name the package only"),
    (re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b"), "unfinished work: do it, or say in the documents that it is missing"),
    (re.compile(r"[ \t]+$"), "white space at the end of the line"),
]
BINARY = (".png", ".rlp", ".gz", ".bin")


def run(tree):
    problems = []
    for path in tree.files():
        if path.endswith(BINARY) or "/corpus/" in path:
            continue
        for number, line in enumerate(tree.text(path).splitlines(), 1):
            problems += [f"{path}:{number}: {why}: {line.strip()[:80]}" for rule, why in RULES if rule.search(line)]
    return problems
