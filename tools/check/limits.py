"""docs/LIMITS.md names every bound: its table is made from the constants and the comments beside them.

The reason of a `kMax…` constant is the comment at the end of its line, or else the comment that heads
its paragraph. The counter that shows that a bound was reached is named in the node's snapshot, with the
bound in a comment at the end of that line or alone on the line before. `./dev fmt` writes the table.
"""
import pathlib
import re

from tree import Tree

ABOUT = "every kMax constant of a header in src/ says why, and stands in docs/LIMITS.md (./dev fmt writes it)"

DOCUMENT = "docs/LIMITS.md"
BEGIN, END = "<!-- begin: made by ./dev fmt from the headers -->", "<!-- end -->"
_DEFINITION = re.compile(r"\bconstexpr\b[^;{}()=/]*\b(kMax[A-Z]\w*)\s*(?:=\s*([^;]*)|\{([^;]*)\});")


def paragraph_comment(lines, index):
    """The comment that heads the paragraph of line `index`, joined to one line."""
    comment = []
    for line in reversed(lines[:index]):
        text = line.strip()
        if text.startswith("//"):
            comment.append(text.lstrip("/").strip())
        elif comment or not text or text.endswith(("{", "}")):
            break
    return " ".join(reversed(comment))


def bounds(tree, path):
    """(line, name, value, reason) of each bound of the header `path`."""
    text = tree.text(path)
    lines = text.splitlines()
    for match in _DEFINITION.finditer(text):
        first = text.count("\n", 0, match.start())
        last = text.count("\n", 0, match.end() - 1)
        if lines[first].lstrip().startswith("//"):
            continue
        value = " ".join((match.group(2) or match.group(3) or "").split())
        trailing = text[match.end():].split("\n", 1)[0].strip()
        reason = trailing.lstrip("/ ") if trailing.startswith("//") else ""
        following = lines[last + 1].strip() if last + 1 < len(lines) else ""
        if reason and following.startswith("//") and lines[last + 1].index("/") > 20:
            reason += " " + following.lstrip("/ ")
        yield first + 1, match.group(1), value, reason or paragraph_comment(lines, first)


SNAPSHOT = "src/node/node_snapshot.cpp"
_COUNTER = re.compile(r'"([a-z_.]+)"')
_BOUNDS = re.compile(r"//\s*((?:kMax\w+(?:,\s*)?)+)$", re.M)


def counters(tree):
    """bound -> name of the counter that shows it; of a family of counters "session.refused.*"."""
    shown = {}
    text = tree.text(SNAPSHOT) if SNAPSHOT in tree.files() else ""
    for named in _BOUNDS.finditer(text):
        is_trailing = text[:named.start()].rsplit("\n", 1)[-1].strip()
        found = _COUNTER.findall(text[:named.start()])[-1:] if is_trailing else _COUNTER.findall(text[named.end():])[:1]
        for bound in re.findall(r"kMax\w+", named.group(1)):
            shown.update({bound: name + "*" if name.endswith(".") else name for name in found})
    return shown


def cell(text):
    return text.replace("|", "\\|")


def table(tree):
    rows = []
    shown = counters(tree)
    for path in tree.product():
        found = list(bounds(tree, path)) if path.endswith(".hpp") else []
        if found:
            rows += ["", f"### [`{path}`](../{path})", "", "| bound | value | why | counted by |", "|---|---|---|---|"]
            rows += [f"| `{name}` | `{cell(value)}` | {cell(reason)} | {'`' + shown[name] + '`' if name in shown else ''} |"
                     for _, name, value, reason in found]
    return "\n".join([BEGIN, *rows, "", END])


def with_table(tree):
    text = tree.text(DOCUMENT)
    return text[:text.index(BEGIN)] + table(tree) + text[text.index(END) + len(END):]


def run(tree):
    problems = [f"{path}:{line}: {name} has no comment that says why" for path in tree.product() if path.endswith(".hpp")
                for line, name, _, reason in bounds(tree, path) if not reason]
    known = {name for path in tree.product() if path.endswith(".hpp") for _, name, _, _ in bounds(tree, path)}
    problems += [f"{SNAPSHOT}: {name} is no bound of a header" for name in counters(tree) if name not in known]
    if DOCUMENT not in tree.files():
        return problems + [f"{DOCUMENT}: missing"]
    if BEGIN not in tree.text(DOCUMENT) or END not in tree.text(DOCUMENT):
        return problems + [f"{DOCUMENT}: the marks of its table are gone"]
    if with_table(tree) != tree.text(DOCUMENT):
        problems.append(f"{DOCUMENT}: not what the headers say: run ./dev fmt")
    return problems


if __name__ == "__main__":  # ./dev fmt
    here = Tree(pathlib.Path(__file__).resolve().parent.parent.parent)
    (here.root / DOCUMENT).write_text(with_table(here))
