"""Shows that each check can fail: gives it a bad sample that it must refuse and a good one that it must not.

Run as part of ./dev check (`selftest`).
"""
import importlib
import pathlib
import subprocess
import tempfile

from tree import Tree

ABOUT = "each check refuses its bad samples and accepts its good ones"

LONG_BODY = "".join(f"  x += {n};\n" for n in range(75))
MARK = "TO" + "DO"
LIMITS = "<!-- begin: made by ./dev fmt from the headers -->\n\n<!-- end -->\n"

# check -> [(files, part of a problem that must be found, or None when the sample is good)]
SAMPLES = {
    "format": [
        ({"src/base/a.hpp": "int  f( );\n"}, "a.hpp: not formatted"),
        ({"src/base/a.hpp": "int f();\n"}, None),
    ],
    "includes": [
        ({"src/chain/a.cpp": "#include <session/b.hpp>\n", "src/session/b.hpp": ""}, "may not be included by chain"),
        ({"src/chain/a.cpp": "#include <chain/b.hpp>\n", "src/chain/b.hpp": ""}, "include it in quotes"),
        ({"src/chain/a.cpp": '#include "../base/b.hpp"\n', "src/base/b.hpp": ""}, "include it in angle brackets"),
        ({"src/session/a.hpp": "#include <openssl/evp.h>\n"}, "is allowed only in"),
        ({"src/crypto/a.hpp": "#include <secp256k1.h>\n"}, "is allowed only in"),
        ({"src/base/a.cpp": "#include <gtest/gtest.h>\n"}, "is allowed only in: tests"),
        ({"src/base/a.cpp": "#include <strange/thing.h>\n"}, "no header that"),
        ({"src/novel/a.cpp": "#include <base/b.hpp>\n", "src/base/b.hpp": ""}, "has no row"),
        ({"src/protocol/eth/a.cpp": "#include <session/registry.hpp>\n", "src/session/registry.hpp": ""}, "may not be included"),
        ({"src/base/a.cpp": "#include <codec/testing/b.hpp>\n", "src/codec/testing/b.hpp": ""}, "may not be included"),
        ({"src/node/events.hpp": "#include <session/b.hpp>\n", "src/session/b.hpp": ""}, "may not be included"),
        ({"src/protocol/eth/a.cpp": '#include "a.hpp"\n#include <span>\n#include <session/mux.hpp>\n',
          "src/protocol/eth/a.hpp": "", "src/session/mux.hpp": "#include <transport/conn.hpp>\n", "src/transport/conn.hpp": ""}, None),
        ({"src/chain/a_test.cpp": "#include <gtest/gtest.h>\n#include <sim/b.hpp>\n", "src/sim/b.hpp": ""}, None),
        ({"src/chain/a.cpp": "// #include <session/b.hpp>\n", "src/session/b.hpp": ""}, None),
    ],
    "banned": [
        ({"src/chain/a.cpp": "auto t = std::chrono::steady_clock::now();\n"}, "take Now as an input"),
        ({"src/chain/a.cpp": "std::random_device d;\n"}, "SecureRng"),
        ({"src/chain/a.cpp": "std::mt19937 g;\n"}, "base/prng.hpp"),
        ({"src/chain/a.cpp": "int x = rand();\n"}, "base/prng.hpp"),
        ({"src/chain/a_test.cpp": "std::this_thread::sleep_for(1ms);\n"}, "virtual time"),
        ({"src/chain/a.cpp": "auto p = reinterpret_cast<char*>(q);\n"}, "raw_memory_files"),
        ({"src/chain/a.cpp": "auto* p = new int;\n"}, "raw_memory_files"),
        ({"src/chain/a.cpp": "delete p;\n"}, "raw_memory_files"),
        ({"src/chain/a.cpp": "std::memcpy(a, b, 3);\n"}, "raw_memory_files"),
        ({"src/chain/a.cpp": "std::mutex m;\n"}, "one thread owns"),
        ({"src/chain/a.cpp": "int x;\n", "tools/raw_memory_files.txt": "src/chain/a.cpp: speed\n"}, "no raw memory any more"),
        ({"src/chain/a.cpp": "memcpy(a, b, 3);\n", "tools/raw_memory_files.txt": "src/chain/a.cpp: \n"}, "has no reason"),
        ({"tools/raw_memory_files.txt": "src/chain/gone.cpp: speed\n"}, "does not exist"),
        ({"src/chain/a.cpp": "memcpy(a, b, 3);\n", "tools/raw_memory_files.txt": "src/chain/a.cpp: a C library wants it\n"}, None),
        ({"src/chain/a.cpp": "// new, delete, memcpy( and rand()\nstruct X { X(const X&) = delete; };\nauto s = \"steady_clock\";\n"
          "int renew(int strand, int new_head);\n"}, None),
        ({"src/runtime/a.cpp": "auto t = std::chrono::steady_clock::now();\n"}, None),
    ],
    "sizes": [
        ({"src/base/a.cpp": "int x;\n" * 801}, "801 lines"),
        ({"src/base/a.cpp": "namespace n {\nint f(int x) {\n" + LONG_BODY + "  return x;\n}\n}\n"}, "f has 78 lines"),
        ({"src/base/a.cpp": "struct A {\n  A() : a_{1}, b_{2} {\n" + LONG_BODY + "  }\n};\n"}, "A has 77 lines"),
        ({"src/base/a_test.cpp": "TEST(Suite, Name) {\n" + LONG_BODY + "}\n"}, "TEST(Suite, Name) has 77 lines"),
        ({"src/base/a.cpp": "template <typename T = int>\nauto f(T x) -> std::array<int, 3> {\n" + LONG_BODY + "}\n"}, "f has 78 lines"),
        ({"src/base/a.cpp": "bool A::operator==(const A& b) const {\n" + LONG_BODY + "}\n"}, "has 77 lines"),
        ({"src/base/a.cpp": "struct X f(int a = 3) {\n" + LONG_BODY + "}\n"}, "f has 77 lines"),
        ({"src/base/a.cpp": "//" + "x" * 99 + "\n"}, "101 columns"),
        ({"src/base/a.cpp": "constexpr auto kTable = std::to_array<X>({\n" + "    {1, f(2)},\n" * 90 + "});\n"}, None),
        ({"src/base/a.cpp": "constexpr std::array<int, sizeof(int)> kTable = {\n" + "    1,\n" * 90 + "};\n"}, None),
        ({"src/base/a.hpp": "class alignas(8) A final {\n public:\n" + "  int f() { return 1; }\n" * 90 + "};\n"}, None),
        ({"src/base/a.cpp": "namespace {\n" + "int f(char c) {\n  return c == '{';\n}\n\n" * 40 + "}\n"}, None),
    ],
    "text": [
        ({"README.md": "see /" + "work/main\n"}, "a path of one machine"),
        ({"dev": "curl https://" + "registry.npmjs.org/x\n"}, "registry's host"),
        ({"src/base/a.cpp": f"// {MARK}: later\n"}, "unfinished work"),
        ({"README.md": "x \n"}, "white space"),
        ({"README.md": "https://eips.ethereum.org/EIPS/eip-778 and src/runtime/os.cpp\n"}, None),
    ],
    "targets": [
        ({"src/base/CMakeLists.txt": "ethnet_module(NAME base SOURCES b.cpp)\n", "src/base/a.cpp": "", "src/base/b.cpp": ""}, "a.cpp: no CMakeLists.txt"),
        ({"src/base/CMakeLists.txt": "# a.cpp\n", "src/base/a.cpp": ""}, "a.cpp: no CMakeLists.txt"),
        ({"src/base/a.hpp": ""}, "no file includes it"),
        ({"src/base/CMakeLists.txt": "ethnet_module(SOURCES x/a.cpp)\n", "src/base/x/a.cpp": '#include "b.hpp"\n', "src/base/x/b.hpp": ""}, None),
    ],
    "limits": [
        ({"src/base/a.hpp": "inline constexpr std::size_t kMaxThings = 3;  // as many as fit\n", "docs/LIMITS.md": LIMITS}, "not what the headers say"),
        ({"src/base/a.hpp": "inline constexpr std::size_t kMaxThings = 3;\n", "docs/LIMITS.md": LIMITS}, "no comment that says why"),
        ({"src/base/a.hpp": "// All that one peer may hold.\nconstexpr int kMaxA{3};\n"}, "missing"),
        ({"src/base/a.hpp": "// kMaxNothing is only talked about.\n", "docs/LIMITS.md": LIMITS}, None),
    ],
    "links": [
        ({"README.md": "[x](docs/NONE.md)\n"}, "does not exist"),
        ({"README.md": "[x](docs/A.md#part) [y](https://example.org)\n", "docs/A.md": ""}, None),
    ],
    "threats": [
        ({"docs/THREATS.md": "| 7 | a | b | `Suite.Gone` |\n"}, "there is no test Suite.Gone"),
        ({"docs/THREATS.md": "| 7 | a | b | none |\n"}, "names no test"),
        ({"docs/THREATS.md": "| 7 | a | b | `Suite.Name` |\n", "src/a/a_test.cpp": "TEST(Suite,\n     Name) {}\n"}, None),
    ],
    "headers": [
        ({"src/base/a.hpp": "#pragma once\nstd::string f();\n"}, "does not compile alone"),
        ({"src/base/a.hpp": "inline int f() { return 1; }\n"}, "does not compile alone"),
        ({"src/base/a.hpp": "#pragma once\n#include <string>\nstd::string f();\n"}, None),
    ],
    "gcc": [({"README.md": ""}, "failed")],
}


def make_tree(folder, files):
    for path, text in files.items():
        target = pathlib.Path(folder) / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    (pathlib.Path(folder) / ".clang-format").write_text("BasedOnStyle: Google\nColumnLimit: 100\n")
    return Tree(folder, sorted(files))


def judge_sample(name, files, wanted):
    with tempfile.TemporaryDirectory() as folder:
        problems = importlib.import_module(name).run(make_tree(folder, files))
    if wanted is None and problems:
        return f"{name}: refused a good sample {list(files)}: {problems}"
    if wanted is not None and not any(wanted in problem for problem in problems):
        return f"{name}: did not find '{wanted}' in {list(files)}, only {problems}"
    return None


def compile_in(folder, source, *options):
    subprocess.run(["clang++-19", *options, "-x", "c++", "-"], cwd=folder, input=source, check=True, text=True)


def judge_purity():
    purity = importlib.import_module("purity")
    for source, wanted in (("#include <ctime>\nlong f() { return std::time(nullptr); }\n", "refers to time"),
                           ("#include <chrono>\nauto f() { return std::chrono::steady_clock::now(); }\n", "now()"),
                           ("void f() { throw 1; }\n", "__cxa_throw"),
                           ("int timer(); int f() { return timer(); }\n", None)):
        with tempfile.TemporaryDirectory() as folder:
            library = pathlib.Path(folder) / "build/gcc/src/base"
            library.mkdir(parents=True)
            compile_in(library, source, "-c", "-o", "a.cpp.o")
            subprocess.run(["ar", "rc", "libethnet_base.a", "a.cpp.o"], cwd=library, check=True)
            problems = purity.run(Tree(folder, []))
        if (wanted is None) != (not problems) or (wanted and not any(wanted in problem for problem in problems)):
            yield f"purity: wanted {wanted}, found {problems}"


def judge_symbols():
    symbols = importlib.import_module("symbols")
    for source, good in (("#include <sys/types.h>\nextern \"C\" ssize_t getrandom(void*, size_t, unsigned) { return 0; }\nint main() {}\n", False),
                         ("int main() {}\n", True)):
        with tempfile.TemporaryDirectory() as folder:
            compile_in(folder, source, "-o", "ethnet")
            problems = symbols.judge(pathlib.Path(folder) / "ethnet")
        if good != (not problems):
            yield f"symbols: {problems} for {source!r}"


def run(_tree):
    results = [judge_sample(name, *sample) for name, samples in SAMPLES.items() for sample in samples]
    return [r for r in results if r] + list(judge_purity()) + list(judge_symbols())
