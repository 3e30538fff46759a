"""Every source is compiled by a target, every header is included by somebody, and both are called .cpp and .hpp."""
import posixpath
import re

ABOUT = "no .cpp outside every CMake target, no header that nobody includes, no C++ or C under another suffix"

# The other checks look at .cpp and .hpp alone: C++ under one of these names would pass all of them.
OTHER_SUFFIXES = (".c", ".cc", ".cxx", ".c++", ".C", ".h", ".hh", ".hxx", ".h++", ".inl", ".ipp", ".tpp", ".txx", ".inc",
                  ".def", ".cppm", ".ixx", ".m", ".mm", ".s", ".S", ".asm", ".cu")


def named_in_cmake(tree, path):
    """Is `path` a source in a CMakeLists.txt of its folder or of one above it?"""
    folder = posixpath.dirname(path)
    while True:
        listing = posixpath.join(folder, "CMakeLists.txt")
        if listing in tree.files():
            relative = posixpath.relpath(path, folder or ".")
            text = re.sub(r"#.*", "", tree.text(listing))
            if re.search(rf"(?<![\w./-]){re.escape(relative)}(?![\w./-])", text):
                return True
        if not folder:
            return False
        folder = posixpath.dirname(folder)


def run(tree):
    problems = [f"{path}: no CMakeLists.txt names it" for path in tree.cpp()
                if path.endswith(".cpp") and not named_in_cmake(tree, path)]
    problems += [f"{path}: name it .cpp or .hpp: the checks look at nothing else" for path in tree.files(*OTHER_SUFFIXES)]
    included = set()
    for path in tree.cpp():
        folder = posixpath.dirname(path)
        for quoted, name in re.findall(r"^[ \t]*#[ \t]*include[ \t]*([<\"])([^>\"]+)", tree.text(path), re.M):
            included.add("src/" + name)
            included.add(name)
            if quoted == '"':
                included.add(posixpath.normpath(posixpath.join(folder, name)))
    problems += [f"{path}: no file includes it" for path in tree.cpp() if path.endswith(".hpp") and path not in included]
    return problems
