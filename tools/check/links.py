"""Links between documents lead somewhere."""
import posixpath
import re

ABOUT = "every relative link of a Markdown file leads to a file of the repository"

_LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")


def run(tree):
    files = set(tree.files())
    folders = {posixpath.dirname(f) for f in files}
    problems = []
    for path in tree.files(".md"):
        for number, line in enumerate(tree.text(path).splitlines(), 1):
            for target in _LINK.findall(re.sub(r"`[^`]*`", "", line)):
                if re.match(r"[a-z]+:", target):
                    continue
                resolved = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
                if resolved not in files and resolved not in folders:
                    problems.append(f"{path}:{number}: link to {target}, which does not exist")
    return problems
