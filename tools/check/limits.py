"""docs/LIMITS.md names every bound: its table is made from the constants and the comments beside them.

The reason of a `kMax…` constant is the comment at the end of its line, or else the comment that heads
its paragraph. What happens at it stands in tools/check/limits.toml. The counter that shows that it was
reached is named in the node's snapshot, with the bound in a comment at the end of that line or alone on
the line before; where there is none, limits.toml names others or says why. `./dev fmt` writes the table.
"""
import pathlib
import re
import tomllib

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


EFFECTS = "tools/check/limits.toml"
# Counters whose names are made of a beginning and the words for a reason.
_FAMILIES = {"session.refused.": "src/session/disconnect.cpp", "session.closed.": "src/session/disconnect.cpp",
             "mini_sync.misbehaved.": "src/protocol/mini_sync/engine.cpp"}
_COUNTING = (SNAPSHOT, "src/runtime/node_runner.cpp")


def effects(tree, section):
    """name -> {at, shown, ...}, as limits.toml has it."""
    return tomllib.loads(tree.text(EFFECTS)).get(section, {}) if EFFECTS in tree.files() else {}


def exists(tree, counter):
    """Is this the name of a counter, or with a * of a family?"""
    text = {path: tree.text(path) for path in _COUNTING if path in tree.files()}
    for family, reasons in _FAMILIES.items():
        if counter.startswith(family):
            reason = counter[len(family):].replace(".*", "").removesuffix(".inbound").removesuffix(".outbound")
            return reason == "*" or f'"{reason.replace("_", " ")}"' in tree.text(reasons)
    return any(f'"{counter}"' in t for t in text.values())


def stale(tree, known):
    """What limits.toml says of what is not there."""
    for name, entry in effects(tree, "bounds").items():
        if name not in known:
            yield f"{EFFECTS}: {name} is no bound of a header"
    for name, entry in effects(tree, "fields").items():
        if entry["where"] not in tree.files() or not re.search(rf"\b{name.split('::')[-1]}\b", tree.text(entry["where"])):
            yield f"{EFFECTS}: {entry['where']} has no {name}"
    for section in ("bounds", "fields"):
        for name, entry in effects(tree, section).items():
            for counter in re.findall(r"`([^`]+)`", entry.get("shown", "")):
                if not exists(tree, counter):
                    yield f"{EFFECTS}: {name}: there is no counter {counter}"


def cell(text):
    return text.replace("|", "\\|")


PRICES = "src/peers/score.hpp"
_PRICE = re.compile(r'\{Behaviour::(\w+), (\d+), "([^"]*)"\}')


def prices(tree):
    """The rows that say what each misbehaviour of a peer costs."""
    found = _PRICE.findall(tree.text(PRICES)) if PRICES in tree.files() else []
    if not found:
        return []
    head = ["", f"### What a peer's misbehaviour costs ([`{PRICES}`](../{PRICES}))", "",
            "| misbehaviour | points | why | shown by |", "|---|---|---|---|"]
    return head + [f"| {what.replace('_', ' ')} | {points} | {cell(why)} | `peers.reported.{what}` |" for what, points, why in found]


def table(tree):
    rows = []
    shown = counters(tree)
    said = effects(tree, "bounds")
    for path in tree.product():
        found = list(bounds(tree, path)) if path.endswith(".hpp") else []
        if found:
            rows += ["", f"### [`{path}`](../{path})", "", "| bound | value | why | at it | shown by |", "|---|---|---|---|---|"]
            for _, name, value, reason in found:
                entry = said.get(name, {})
                counter = f"`{shown[name]}`" if name in shown else entry.get("shown", "")
                rows.append(f"| `{name}` | `{cell(value)}` | {cell(reason)} | {cell(entry.get('at', ''))} | {cell(counter)} |")
    fields = effects(tree, "fields")
    if fields:
        rows += ["", "### Of a configuration", "", "| field | at it | shown by |", "|---|---|---|"]
        rows += [f"| [`{name}`](../{e['where']}) | {cell(e['at'])} | {cell(e['shown'])} |" for name, e in fields.items()]
    return "\n".join([BEGIN, *rows, *prices(tree), "", END])


def with_table(tree):
    text = tree.text(DOCUMENT)
    return text[:text.index(BEGIN)] + table(tree) + text[text.index(END) + len(END):]


def run(tree):
    problems = [f"{path}:{line}: {name} has no comment that says why" for path in tree.product() if path.endswith(".hpp")
                for line, name, _, reason in bounds(tree, path) if not reason]
    known = {name for path in tree.product() if path.endswith(".hpp") for _, name, _, _ in bounds(tree, path)}
    problems += [f"{SNAPSHOT}: {name} is no bound of a header" for name in counters(tree) if name not in known]
    problems += stale(tree, known)
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
