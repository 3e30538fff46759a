"""Every header compiles alone, and twice. Results are kept by content, so a second run is quick."""
import concurrent.futures
import hashlib
import os
import posixpath
import re
import shutil
import subprocess

ABOUT = "every header of src/ compiles alone (clang++-19), with nothing included before it"

MADE = "build/check/proto"  # headers that protoc makes
FLAGS = ["-std=c++23", "-fsyntax-only", "-Isrc", "-I.", "-isystem", MADE, "-D_GLIBCXX_ASSERTIONS",
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


def make_protos(tree):
    """The headers of proto/, as the build makes them; a problem, or None."""
    protos = sorted(f"proto/{path.name}" for path in (tree.root / "proto").glob("*.proto"))
    if not protos:
        return None
    (tree.root / MADE).mkdir(parents=True, exist_ok=True)
    plugin = shutil.which("grpc_cpp_plugin")
    done = subprocess.run(["protoc", "-I", "proto", f"--cpp_out={MADE}", f"--grpc_out={MADE}", f"--plugin=protoc-gen-grpc={plugin}",
                           *protos], cwd=tree.root, capture_output=True, text=True)
    return None if done.returncode == 0 else f"proto: {done.stderr.strip()}"


def run(tree):
    if problem := make_protos(tree):
        return [problem]
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
