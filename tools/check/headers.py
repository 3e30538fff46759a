"""Every header compiles alone, and twice. Results are kept by content, so a second run is quick."""
import concurrent.futures
import hashlib
import os
import posixpath
import re
import subprocess

ABOUT = "every header of src/ compiles alone (clang++-19), with nothing included before it"

FLAGS = ["-std=c++23", "-fsyntax-only", "-Isrc", "-I.", "-D_GLIBCXX_ASSERTIONS",
         '-DETHNET_SOURCE_DIR="."', '-DETHNET_BIN_DIR="."', "-Wall", "-Wextra", "-Werror", "-x", "c++", "-"]
_INCLUDE = re.compile(r"^[ \t]*#[ \t]*include[ \t]*[<\"]([^>\"]+)", re.M)


def closure(tree, known, path):
    """`path` and every project header that it reaches."""
    seen, waiting = set(), [path]
    while waiting:
        current = waiting.pop()
        if current in seen:
            continue
        seen.add(current)
        for name in _INCLUDE.findall(tree.text(current)):
            for candidate in ("src/" + name, posixpath.normpath(posixpath.join(posixpath.dirname(current), name))):
                if candidate in known:
                    waiting.append(candidate)
    return sorted(seen)


def key_of(tree, known, path):
    digest = hashlib.sha256(" ".join(FLAGS).encode())
    for part in closure(tree, known, path):
        digest.update(part.encode() + b"\0" + tree.text(part).encode() + b"\0")
    return digest.hexdigest()


def compile_alone(tree, path):
    name = path[len("src/"):]
    source = f"#include <{name}>\n#include <{name}>\n"
    done = subprocess.run(["clang++-19", *FLAGS], cwd=tree.root, input=source, capture_output=True, text=True)
    if done.returncode == 0:
        return None
    errors = [line for line in done.stderr.splitlines() if "error:" in line]
    return f"{path}: does not compile alone: {(errors or [done.stderr.strip()])[0]}"


def run(tree):
    cache = tree.root / "build" / "check" / "headers.txt"
    cache.parent.mkdir(parents=True, exist_ok=True)
    good = set(cache.read_text().split()) if cache.exists() else set()
    known = set(tree.cpp())
    headers = [f for f in tree.cpp("src/") if f.endswith(".hpp")]
    keys = {path: key_of(tree, known, path) for path in headers}
    waiting = [path for path in headers if keys[path] not in good]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = dict(zip(waiting, pool.map(lambda path: compile_alone(tree, path), waiting)))
    cache.write_text("\n".join(sorted(keys[path] for path in headers if results.get(path) is None)) + "\n")
    return [problem for problem in results.values() if problem]
