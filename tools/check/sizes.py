"""Files of at most 800 lines, functions of at most 70, measured by braces; of the page files of at most 400."""
import re

ABOUT = "no file over 800 lines, no function over 70, no line over 100 columns; the page: 400 and 120"

MAX_FILE_LINES = 800
MAX_FUNCTION_LINES = 70
MAX_COLUMNS = 100
PAGE = (".ts", ".css", ".html")
MAX_PAGE_LINES = 400
MAX_PAGE_COLUMNS = 120
_CONTAINER = re.compile(r"\b(namespace|class|struct|union|enum|extern)\b")


def strip_groups(head):
    """`head` without what stands in parentheses, or None when they do not balance."""
    out, depth = [], 0
    for char in head:
        if char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
            if depth < 0:
                return None
        elif depth == 0:
            out.append(char)
    return "".join(out) if depth == 0 else None


def opens_function(head):
    """Does a brace after `head` (the text since the last declaration) begin a function's body?"""
    if "(" not in head:
        return False
    bare = strip_groups(head)
    if bare is None:
        return False
    bare = re.sub(r"\boperator\s*[^\w\s]+", "operator", bare)
    bare = re.sub(r"\btemplate\s*<[^{};]*>", "", bare)
    return not re.search(r"(?<![=!<>])=(?!=)", bare)


def opens_container(head):
    """Does a brace after `head` begin a namespace or the definition of a type?"""
    bare = strip_groups(re.sub(r"\btemplate\s*<[^{};()]*>", "", head))
    if bare is None or not _CONTAINER.search(bare):
        return False
    # `struct X f() const {` begins a function that returns a struct.
    after_group = head[head.rfind(")") + 1:] if ")" in head else "a type"
    return not re.fullmatch(r"\s*((const|noexcept|override|final|volatile|&&?)\s*)*", after_group)


def functions(code):
    """(first line, last line, head) of every function body at namespace or class scope."""
    code = re.sub(r"^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", lambda m: re.sub(r"[^\n]", " ", m.group(0)), code, flags=re.M)
    head_start, stack, i = 0, [], 0
    while i < len(code):
        char = code[i]
        inside = stack and stack[-1][0] != "container"
        if char == "{":
            head = code[head_start:i]
            if inside:
                stack.append(("block", i, ""))
            elif opens_container(head):
                stack.append(("container", i, ""))
                head_start = i + 1
            elif opens_function(head):
                stack.append(("function", head_start + len(head) - len(head.lstrip()), head))
            else:
                stack.append(("block", i, ""))
        elif char == "}" and stack:
            kind, start, head = stack.pop()
            if not (stack and stack[-1][0] != "container"):
                following = code[i + 1:].lstrip()[:1]
                # A constructor's member initialiser `a_{1}, b_{2} {`: its head goes on.
                if kind == "container" or following not in (",", "{"):
                    if kind == "function":
                        yield code.count("\n", 0, start) + 1, code.count("\n", 0, i) + 1, head
                    head_start = i + 1
        elif char == ";" and not inside:
            head_start = i + 1
        elif char == ":" and not inside and re.search(r"\b(public|private|protected)\s*$", code[head_start:i]):
            head_start = i + 1
        i += 1


def name_of(head):
    found = re.search(r"([~\w:]+(?:\s*operator\s*\S+)?)\s*\(([^,()]*)(,[^,()]*)?", head)
    if not found:
        return "function"
    if found.group(1).startswith(("TEST", "RC_GTEST")):
        return f"{found.group(1)}({found.group(2)}{found.group(3) or ''})"
    return found.group(1)


def measure(path, lines, most_lines, most_columns):
    if len(lines) > most_lines:
        yield f"{path}:1: {len(lines)} lines (at most {most_lines}): split it into parts with tests of their own"
    for number, line in enumerate(lines, 1):
        if len(line) > most_columns:
            yield f"{path}:{number}: {len(line)} columns (at most {most_columns})"


def run(tree):
    problems = []
    for path in tree.files(*PAGE, under="web/"):
        problems += measure(path, tree.text(path).splitlines(), MAX_PAGE_LINES, MAX_PAGE_COLUMNS)
    for path in tree.cpp():
        problems += measure(path, tree.text(path).splitlines(), MAX_FILE_LINES, MAX_COLUMNS)
        for first, last, head in functions(tree.code(path)):
            if last - first + 1 > MAX_FUNCTION_LINES:
                problems.append(f"{path}:{first}: {name_of(head)} has {last - first + 1} lines (at most {MAX_FUNCTION_LINES})")
    return problems
