"""docs/LIMITS.md names every bound."""
import re

ABOUT = "every kMax constant of a header in src/ is named in docs/LIMITS.md, and none that is gone"

DOCUMENT = "docs/LIMITS.md"
_DEFINITION = re.compile(r"\bconstexpr\b[^;{}()=]*\b(kMax[A-Z]\w*)\s*(?:=|\{)")


def run(tree):
    defined = {}
    for path in tree.product():
        if path.endswith(".hpp"):
            for match in _DEFINITION.finditer(tree.code(path)):
                defined.setdefault(match.group(1), path)
    if not defined:
        return []
    if DOCUMENT not in tree.files():
        return [f"{DOCUMENT}: missing"]
    documented = set(re.findall(r"\bkMax[A-Z]\w*", tree.text(DOCUMENT)))
    known = set(re.findall(r"\bkMax[A-Z]\w*", " ".join(tree.code(path) for path in tree.cpp())))
    return ([f"{path}: {name} is not in {DOCUMENT}: add its value and why" for name, path in sorted(defined.items())
             if name not in documented] +
            [f"{DOCUMENT}: {name} is in no source file any more" for name in sorted(documented - known)])
