"""The diagrams of docs/ARCHITECTURE.md are of the code that is there.

The first, a flowchart, has each module of src/ and an arrow for each that includes another's headers; the modules
below all others are in one box and get no arrows. The second, a sequence, tells who calls what: each arrow names a
function of the module that is called (->>) or drained (-->>), and of which module says the participant's name.
"""
import re

import includes

ABOUT = "docs/ARCHITECTURE.md: its diagrams have every module, every dependency and only functions that exist"

DOCUMENT = "docs/ARCHITECTURE.md"
FOUNDATION = {"base", "crypto", "codec", "trie", "types", "machine"}


def blocks(text, kind):
    """(line, body) of each Mermaid diagram of this kind."""
    for match in re.finditer(rf"^```mermaid\n{kind}\b[^\n]*\n(.*?)^```", text, re.M | re.S):
        yield text.count("\n", 0, match.start()) + 1, match.group(1)


def real_arrows(tree):
    """(the modules above the foundation, {(who, whose headers)})."""
    modules = {includes.module_of(path) for path in tree.product()} - FOUNDATION
    files = set(tree.files())
    arrows = set()
    for path in tree.product():
        for angled, _ in includes._INCLUDE.findall(tree.code(path)):
            target = includes.module_of(f"src/{angled}") if f"src/{angled}" in files else None
            if target not in (None, includes.module_of(path)):
                arrows.add((includes.module_of(path), target))
    return modules, {(a, b) for a, b in arrows if a in modules and b in modules}


def judge_modules(tree, body):
    names = dict(re.findall(r'^\s*(\w+)\["([\w/]+)"\]', body, re.M))
    modules, arrows = real_arrows(tree)
    drawn = {(names.get(a, a), names.get(b.strip(), b.strip())) for a, targets in re.findall(r"^\s*(\w+) --> ([\w &]+)$", body, re.M)
             for b in targets.split("&")}
    yield from (f"lacks module {module}" for module in sorted(modules - set(names.values())))
    yield from (f"has {module}, which is no module" for module in sorted(set(names.values()) - modules))
    yield from (f"lacks {a} --> {b}" for a, b in sorted(arrows - drawn))
    yield from (f"has {a} --> {b}, but {a} includes nothing of {b}" for a, b in sorted(drawn - arrows))


def judge_calls(tree, body):
    names = dict(re.findall(r"^\s*participant (\w+) as ([\w/]+)$", body, re.M))
    outside = set(re.findall(r"^\s*actor (\w+)", body, re.M))
    code = {}
    for path in tree.product():
        code.setdefault(includes.module_of(path), []).append(tree.code(path))
    for caller, arrow, called, what in re.findall(r"^\s*(\w+)(-?->>)(\w+): (\w+)", body, re.M):
        whose = caller if arrow == "-->>" else called
        if whose in outside:
            continue
        module = names.get(whose, whose)
        if not any(re.search(rf"\b{what}\(", text) for text in code.get(module, [])):
            yield f"{module} has no function {what}()"


def run(tree):
    if DOCUMENT not in tree.files():
        return []
    text = tree.text(DOCUMENT)
    problems = []
    for kind, judge in (("flowchart", judge_modules), ("sequenceDiagram", judge_calls)):
        found = list(blocks(text, kind))
        if not found:
            problems.append(f"{DOCUMENT}: has no Mermaid {kind}")
        problems += [f"{DOCUMENT}:{line}: the {kind} {problem}" for line, body in found for problem in judge(tree, body)]
    return problems
