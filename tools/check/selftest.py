"""Shows that each check can fail: gives it a bad sample that it must refuse and a good one that it must not.

Run as part of ./dev check (`selftest`).
"""
import importlib.util
import pathlib
import subprocess
import tempfile

import facts
from tree import Tree

ABOUT = "each check refuses its bad samples and accepts its good ones"

LONG_BODY = "".join(f"  x += {n};\n" for n in range(75))
MARK = "TO" + "DO"
LIMITS = "<!-- begin: made by ./dev fmt from the headers -->\n\n<!-- end -->\n"



def make_tree(folder, files):
    for path, text in files.items():
        target = pathlib.Path(folder) / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    (pathlib.Path(folder) / ".clang-format").write_text("BasedOnStyle: Google\nColumnLimit: 100\n")
    return Tree(folder, sorted(files))


def invariants_tree(changes, mutant_tests="A.*", planted="it holds"):
    """A document of seven good invariants, the first one with `changes`, and all that they name."""
    section = "## {}. One\n| enforced by | `f` ([file](../src/a.cpp)) |\n| watched by | `it holds` |\n| tests | `A.B` |\n| mutants | `m` |\n"
    first = section.format(1)
    for old, new in changes.items():
        assert old in first, old
        first = first.replace(old, new)
    return {"docs/INVARIANTS.md": first + "".join(section.format(n) for n in range(2, 8)),
            "src/a.cpp": "void f();\n", "src/a_test.cpp": "TEST(A, B) {}\n",
            "src/sim/node_checkers.cpp": 'name() const override { return "it holds"; }\n',
            "src/sim/scenarios/planted_bug.hpp": f'PlantedBugRow{{PlantedBug::x, "{planted}"}},\n',
            "tools/mutants/mutants.toml": f'[[mutant]]\nname = "m"\ntests = "{mutant_tests}"\n'}


def diagrams_tree(changes):
    text = ('```mermaid\nflowchart TD\n  n["node"]\n  s["session"]\n  n --> s\n```\n```mermaid\nsequenceDiagram\n  actor peer\n'
            "  participant n as node\n  participant s as session\n  n->>s: open (it)\n  s-->>n: poll\n  n->>peer: shout\n```\n")
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    return {"docs/ARCHITECTURE.md": text, "src/base/b.hpp": "", "src/session/s.hpp": "#include <base/b.hpp>\nvoid open();\nint poll();\n",
            "src/node/n.cpp": "#include <session/s.hpp>\n"}


def with_facts(files, done="", without=None):
    """A README with this under Done, and the figures that the files (but `without`) give."""
    files = {**files, "README.md": f"## Status\n\n**Done**\n\n{done}\n## Figures\n\n{facts.BEGIN}\n{facts.END}\n"}
    with tempfile.TemporaryDirectory() as folder:
        readme = facts.with_table(make_tree(folder, {path: text for path, text in files.items() if path != without}))
    return {**files, "README.md": readme}


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
        ({"src/chain/a.cpp": "#include <tests/support/b.hpp>\n", "tests/support/b.hpp": ""}, "lies outside src/"),
        ({"src/chain/a.cpp": '#include "../../apps/b.hpp"\n', "apps/b.hpp": ""}, "lies outside src/"),
        ({"src/chain/a.cpp": "#define NAME <session/b.hpp>\n#include NAME\n", "src/session/b.hpp": ""}, "include by a plain name"),
        ({"src/chain/a.cpp": "#include_next <vector>\n"}, "include by a plain name"),
        ({"src/chain/a.cpp": "import <session/b.hpp>;\n", "src/session/b.hpp": ""}, "include by a plain name"),
        ({"src/chain/a_test.cpp": "#include <tests/support/b.hpp>\n", "tests/support/b.hpp": ""}, None),
        ({"src/chain/a.cpp": "  #  include <vector>\nvoid import_headers();\nvoid f() {\n  import(batch);\n}\n"}, None),
        ({"src/protocol/eth/a.cpp": '#include "a.hpp"\n#include <span>\n#include <session/mux.hpp>\n',
          "src/protocol/eth/a.hpp": "", "src/session/mux.hpp": "#include <transport/conn.hpp>\n", "src/transport/conn.hpp": ""}, None),
        ({"src/chain/a_test.cpp": "#include <gtest/gtest.h>\n#include <sim/b.hpp>\n", "src/sim/b.hpp": ""}, None),
        ({"src/chain/a.cpp": "// #include <session/b.hpp>\n", "src/session/b.hpp": ""}, None),
    ],
    "banned": [
        ({"web/src/a.ts": "a.innerHTML = name;\n"}, "text as text"),
        ({"web/src/a.ts": "a.insertAdjacentHTML('beforeend', name);\n"}, "text as text"),
        ({"web/src/a.ts": "a.setAttribute('style', 'color: red');\n"}, "no inline style"),
        ({"web/index.html": "<script src=\"https://cdn.example/x.js\"></script>\n"}, "without any network"),
        ({"web/test/e2e/a.test.ts": "await page.waitForTimeout(5);\n"}, "wait for what is to be seen"),
        ({"web/src/a.ts": "a.textContent = name;\na.style.width = '3px';\n"}, None),
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
        ({"src/chain/a.cpp": "auto p = static_cast<const Thing*>(q);\n"}, "raw_memory_files"),
        ({"src/chain/a.cpp": "auto p = static_cast<std::vector<int>*>(q);\n"}, "raw_memory_files"),
        ({"src/chain/a.cpp": "auto p = std::bit_cast<char*>(n);\n"}, "raw_memory_files"),
        ({"src/chain/a.cpp": "union U { int i; float f; };\n"}, "raw_memory_files"),
        ({"src/chain/a.cpp": "void* p = ::operator new(64);\n"}, "raw_memory_files"),
        ({"src/chain/a.cpp": "auto p = std::allocator<int>{}.allocate(4);\n"}, "raw_memory_files"),
        ({"src/chain/a.cpp": "std::malloc(4);\n"}, "raw_memory_files"),
        ({"src/chain/a.cpp": "__builtin_memcpy(a, b, 3);\n"}, "raw_memory_files"),
        ({"src/chain/a.cpp": "asm volatile(\"\");\n"}, "raw_memory_files"),
        ({"src/chain/a.cpp": "#pragma clang diagnostic ignored \"-Wunsafe-buffer-usage\"\n"}, "raw_memory_files"),
        ({"src/chain/a.cpp": "#  pragma GCC diagnostic push\n"}, "raw_memory_files"),
        ({"src/chain/a.cpp": "_Pragma(\"clang unsafe_buffer_usage begin\")\n"}, "raw_memory_files"),
        ({"src/chain/a.hpp": "#pragma clang system_header\n"}, "raw_memory_files"),
        ({"src/chain/a.cpp": "#line 7 \"other.cpp\"\n"}, "raw_memory_files"),
        ({"src/chain/a.cpp": "[[clang::unsafe_buffer_usage]] void f(int* p);\n"}, "raw_memory_files"),
        ({"src/chain/a.cpp": "__attribute__((no_sanitize(\"address\"))) void f();\n"}, "raw_memory_files"),
        ({"src/chain/a.cpp": "#define CAST reinterpret##_cast\n"}, "write names out"),
        ({"src/chain/a.cpp": "auto p = reinterpret_\\\ncast<char*>(q);\n"}, "write names out"),
        ({"src/chain/a.cpp": "std::printf(\"x\");\n"}, "only programs print"),
        ({"src/chain/a.cpp": "::fprintf(f, \"x\");\n"}, "only programs print"),
        ({"src/chain/a.cpp": "fmt::print(\"x\");\n"}, "only programs print"),
        ({"src/chain/a.cpp": "::sleep(1);\n"}, "state a deadline"),
        ({"src/chain/a.cpp": "auto t = ::time(nullptr);\n"}, "take Now as an input"),
        ({"src/chain/a.cpp": "auto t = std::chrono::utc_clock::now();\n"}, "take Now as an input"),
        ({"src/chain/a.cpp": "auto t = std::clock();\n"}, "take Now as an input"),
        ({"src/chain/a.cpp": "auto seed = arc4random();\n"}, "SecureRng"),
        ({"src/chain/a.cpp": "f(TRY(g()));\n"}, "TRY: as a statement"),
        ({"src/chain/a.cpp": "const X x{TRY(g())};\n"}, "TRY: as a statement"),
        ({"src/chain/a.cpp": "x = c ? TRY(g()) : h();\n"}, "TRY: as a statement"),
        ({"src/chain/a.cpp": "x = c ? h() : TRY(g());\n"}, "TRY: as a statement"),
        ({"src/chain/a.cpp": "return TRY(g());\n"}, "TRY: as a statement"),
        ({"src/chain/a.cpp": "void f() {\n  TRY(g(h(1), 2));\n  if (c) TRY(g());\n  auto x =\n      TRY(g());\n  switch (x) {\n    case 1: TRY(g());\n  }\n"
          "  if (a) { TRY(g()); } else TRY(h());\n}\n#define TRY(...) X(__VA_ARGS__)\n"}, None),
        ({"src/chain/a.cpp": "auto y = static_cast<int>(a * b > c);\nauto w = std::bit_cast<Word>(raw);\nauto u = reunion(1);\n"
          "auto t = config.begins_at_time(f);\nvoid time(int);\n#pragma once\n#pragma GCC unroll 5\nauto s = block.clock();\n"}, None),
        ({"src/base/check.cpp": "std::fprintf(stderr, \"x\");\n"}, None),
        ({"src/chain/a.cpp": "int x;\n", "tools/raw_memory_files.txt": "src/chain/a.cpp: speed\n"}, "no raw memory any more"),
        ({"src/chain/a.cpp": "memcpy(a, b, 3);\n", "tools/raw_memory_files.txt": "src/chain/a.cpp: \n"}, "has no reason"),
        ({"tools/raw_memory_files.txt": "src/chain/gone.cpp: speed\n"}, "does not exist"),
        ({"src/chain/a.cpp": "memcpy(a, b, 3);\n", "tools/raw_memory_files.txt": "src/chain/a.cpp: a C library wants it\n"}, None),
        ({"src/chain/a.cpp": "// new, delete, memcpy( and rand()\nstruct X { X(const X&) = delete; };\nauto s = \"steady_clock\";\n"
          "int renew(int strand, int new_head);\n"}, None),
        ({"src/runtime/a.cpp": "auto t = std::chrono::steady_clock::now();\n"}, None),
    ],
    "sizes": [
        ({"web/src/a.ts": "let x;\n" * 401}, "401 lines"),
        ({"web/src/a.css": "/*" + "x" * 119 + "\n"}, "121 columns"),
        ({"web/src/a.ts": "let x;\n" * 400}, None),
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
        ({"src/base/a.inl": ""}, "name it .cpp or .hpp"),
        ({"src/base/a.h": ""}, "name it .cpp or .hpp"),
        ({"src/base/CMakeLists.txt": "ethnet_module(SOURCES x/a.cpp)\n", "src/base/x/a.cpp": '#include "b.hpp"\n', "src/base/x/b.hpp": ""}, None),
    ],
    "limits": [
        ({"src/base/a.hpp": "inline constexpr std::size_t kMaxThings = 3;  // as many as fit\n", "docs/LIMITS.md": LIMITS}, "not what the headers say"),
        ({"src/base/a.hpp": "inline constexpr std::size_t kMaxThings = 3;\n", "docs/LIMITS.md": LIMITS}, "no comment that says why"),
        ({"src/base/a.hpp": "// All that one peer may hold.\nconstexpr int kMaxA{3};\n"}, "missing"),
        ({"src/node/node_snapshot.cpp": 'out.add("a.b", n);  // kMaxGone\n', "docs/LIMITS.md": LIMITS}, "kMaxGone is no bound"),
        ({"tools/check/limits.toml": '[bounds]\nkMaxGone = { at = "it ends" }\n', "docs/LIMITS.md": LIMITS}, "kMaxGone is no bound"),
        ({"tools/check/limits.toml": '[bounds]\nkMaxA = { at = "x", shown = "`a.b`" }\n', "docs/LIMITS.md": LIMITS}, "there is no counter a.b"),
        ({"tools/check/limits.toml": '[fields]\n"A::b" = { where = "src/base/a.hpp", at = "x", shown = "" }\n', "docs/LIMITS.md": LIMITS}, "has no A::b"),
        ({"src/base/a.hpp": "// kMaxNothing is only talked about.\n", "docs/LIMITS.md": LIMITS}, None),
    ],
    "links": [
        ({"README.md": "[x](docs/NONE.md)\n"}, "does not exist"),
        ({"README.md": "[x](docs/A.md#part) [y](https://example.org)\n", "docs/A.md": ""}, None),
    ],
    "threats": [
        ({"docs/THREATS.md": "| 7 | a | b | `Suite.Gone` |\n"}, "there is no test Suite.Gone"),
        ({"docs/THREATS.md": "| 7 | a | b | none |\n"}, "names no test"),
        ({"docs/THREATS.md": "| A.8 (a) | a | b | `Suite.Gone` |\n"}, "there is no test Suite.Gone"),
        ({"docs/THREATS.md": "| 7 | a | b | `Suite.Name` |\n", "src/a/a_test.cpp": "TEST(Suite,\n     Name) {}\n"}, None),
        ({"docs/THREATS.md": "| 7 | a | b | `A.test_x` |\n", "tests/process/a_test.py": "class A(T):\n    def test_x(self):\n",
          "tests/CMakeLists.txt": "set(process_tests\n  B.test_x)\n"}, "there is no test A.test_x"),
        ({"docs/THREATS.md": "| 7 | a | b | `A.test_x` |\n", "tests/process/a_test.py": "class A(T):\n    def test_x(self):\n",
          "tests/CMakeLists.txt": "set(process_tests\n  A.test_x)\n"}, None),
    ],
    "invariants": [
        ({"docs/INVARIANTS.md": "## 1. One\n"}, "has 1 invariants, not seven"),
        (invariants_tree({"| tests | `A.B` |": ""}), "has no row 'tests'"),
        (invariants_tree({"`f` (": "`g` ("}), "src/a.cpp has no g"),
        (invariants_tree({"[file](../src/a.cpp)": "[file](../src/b.cpp)"}), "there is no file src/b.cpp"),
        (invariants_tree({"`f` (": "("}), "names no code that enforces it"),
        (invariants_tree({"| `it holds` |": "| `it folds` |"}), "there is no checker 'it folds'"),
        (invariants_tree({"| `it holds` |": "| none |"}), "names no checker"),
        (invariants_tree({"`A.B`": "`A.C`"}), "there is no test A.C"),
        (invariants_tree({"`m` |": "`n` |"}), "there is no mutant n"),
        (invariants_tree({}, mutant_tests="B.*"), "no test of the section is one that mutant m names"),
        (invariants_tree({}, mutant_tests="*"), "no test of the section is one that mutant m names"),
        (invariants_tree({}, mutant_tests="A.*-A.B"), "no test of the section is one that mutant m names"),
        (invariants_tree({}, planted="another"), "there is no checker 'it holds' with a planted bug"),
        (invariants_tree({}), None),
    ],
    "facts": [
        ({"README.md": "# x\n"}, "the marks of its table of figures are gone"),
        ({"README.md": f"{facts.BEGIN}\n{facts.END}\n"}, "not what the sources say"),
        (with_facts({}), None),
        (with_facts({"src/base/a.cpp": "int x;\n" * 60}, without="src/base/a.cpp"), "not what the sources say"),
        (with_facts({"src/a_test.cpp": "TEST(A, B) {}\n"}, without="src/a_test.cpp"), "not what the sources say"),
        (with_facts({}, "- a thing\n"), "links to no test"),
        (with_facts({}, "- a thing: [test](src/a_test.cpp)\n"), "src/a_test.cpp is no file of tests"),
        (with_facts({"src/a_test.cpp": "int x;\n"}, "- a thing: [test](src/a_test.cpp)\n"), "src/a_test.cpp is no file of tests"),
        (with_facts({"src/a_test.cpp": "TEST(A, B) {}\n"}, "- a thing: [test](src/a_test.cpp)\n\n**Next**\n\n- another\n"), None),
    ],
    "diagrams": [
        ({"docs/ARCHITECTURE.md": ""}, "has no Mermaid flowchart"),
        (diagrams_tree({}), None),
        (diagrams_tree({'  s["session"]\n': ""}), "lacks module session"),
        (diagrams_tree({'  s["session"]\n': '  s["session"]\n  l["lab"]\n'}), "has lab, which is no module"),
        (diagrams_tree({"  n --> s\n": ""}), "lacks node --> session"),
        (diagrams_tree({"  n --> s\n": "  n --> s\n  s --> n\n"}), "but session includes nothing of node"),
        (diagrams_tree({"n->>s: open": "n->>s: close"}), "session has no function close()"),
        (diagrams_tree({"s-->>n: poll": "s-->>n: pull"}), "session has no function pull()"),
    ],
    "headers": [
        ({"src/base/a.hpp": "#pragma once\nstd::string f();\n"}, "does not compile alone"),
        ({"src/base/a.hpp": "inline int f() { return 1; }\n"}, "does not compile alone"),
        ({"src/base/a.hpp": "#pragma once\n#include <string>\nstd::string f();\n"}, None),
    ],
    "gcc": [({"README.md": ""}, "failed")],
    "sim_traces": [({"README.md": ""}, "failed")],
    "mutants": [({"README.md": ""}, "missing"), ({"tools/mutants/mutants.toml": ""}, "failed"),
                ({"tools/mutants/mutants.toml": '[[mutant]]\nname = "m"\nfile = "a.cpp"\nold = "x"\n', "a.cpp": "xx"}, "stands 2 times"),
                ({"tools/mutants/mutants.toml": '[[mutant]]\nname = "m"\nfile = "b.cpp"\nold = "x"\n'}, "stands 0 times")],
}


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
                           ("#include <cstdio>\nvoid f() { std::puts(\"x\"); }\n", "refers to puts"),
                           ("#include <iostream>\nvoid f() { std::cout << 1; }\n", "std::cout"),
                           ("#include <cstdlib>\nvoid* f(unsigned n) { return std::malloc(n); }\n", "refers to malloc"),
                           ("#include <ctime>\nlong f() { return std::clock(); }\n", "refers to clock"),
                           ("#include <unistd.h>\nlong f() { return ::write(1, \"x\", 1); }\n", "refers to write"),
                           ("int timer(); int writer(); int f() { return timer() + writer() + *new int{1}; }\n", None)):
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
                         ("namespace ethnet::quic { void make_null_crypto() {} }\nint main() {}\n", False),
                         ("int main() {}\n", True)):
        with tempfile.TemporaryDirectory() as folder:
            compile_in(folder, source, "-o", "ethnet")
            problems = symbols.judge(pathlib.Path(folder) / "ethnet")
        if good != (not problems):
            yield f"symbols: {problems} for {source!r}"
    for text, good in (("int main(int argc, char** argv) {\n  return 0;\n}\n", False),
                       ("int main(int argc, char** argv) {\n  ethnet::make_out_of_memory_fatal();\n}\n", True)):
        with tempfile.TemporaryDirectory() as folder:
            problems = symbols.run(make_tree(folder, {"apps/a/main.cpp": text}))
        if good != (not problems):
            yield f"symbols: {problems} for {text!r}"


def judge_hardening():
    """Each property is missed when it is switched off, and nothing is missed when all are on."""
    symbols = importlib.import_module("symbols")
    source = "int f(char*); int main() { char a[64]; return f(a); }\nint f(char* a) { return a[0]; }\n"
    good = ("-fuse-ld=lld", "-fstack-protector-all", "-pie", "-fPIE", "-Wl,-z,relro,-z,now,-z,noexecstack")
    for options, wanted in ((("-no-pie", "-fno-PIE"), "not position-independent"), (("-Wl,-z,norelro",), "no RELRO"),
                            (("-Wl,-z,lazy",), "binds functions late"), (("-Wl,-z,execstack",), "executable stack"),
                            (("-fno-stack-protector",), "no stack protection"), ((), None)):
        with tempfile.TemporaryDirectory() as folder:
            compile_in(folder, source, "-Wno-unused-command-line-argument", *good, *options, "-o", "ethnet")
            problems = symbols.hardening(pathlib.Path(folder) / "ethnet")
        if (wanted is None) != (not problems) or (wanted and not any(wanted in problem for problem in problems)):
            yield f"hardening: wanted {wanted}, found {problems}"


def judge_flags():
    """A command line that lacks any one option is refused, and so is one that takes an option back."""
    flags = importlib.import_module("flags")
    for path, preset, compiler in (("src/chain/a.cpp", "release", "/usr/bin/clang++-19"), ("src/runtime/a.cpp", "dev", "clang++-19"),
                                   ("apps/a/main.cpp", "quick", "clang++-19"), ("src/chain/a_test.cpp", "dev", "clang++-19"),
                                   ("src/chain/a.cpp", "gcc", "/usr/bin/g++-12"), ("build/dev/src/a.pb.cc", "release", "clang++-19")):
        every = sorted(flags.wanted(path, preset, "clang" not in compiler))
        line = " ".join([compiler, *every, "-c", path])
        if flags.judge(path, preset, line):
            yield f"flags: refused a good sample: {flags.judge(path, preset, line)}"
        for option in every:
            if not flags.judge(path, preset, line.replace(f" {option} ", " ")):
                yield f"flags: does not miss {option} for {path} under {preset}"
        for option in ("-w", "-Wno-unsafe-buffer-usage", "-Wno-error", "-fno-stack-protector", "-fpermissive", "-U_GLIBCXX_ASSERTIONS"):
            if not flags.judge(path, preset, line + " " + option):
                yield f"flags: does not notice {option}"


def judge_compiler():
    """What the raw-memory list leaves to the compiler, it does refuse with the core's own options."""
    flags = importlib.import_module("flags")
    options = sorted(flags.wanted("src/chain/a.cpp", "dev", False))
    for body, good in (("return p[1];", False), ("return *(p + 1);", False), ("++p; return *p;", False), ("return (int)(long long)p[0];", False),
                       ("return std::span<const char>{p, 9}[8];", False), ("throw *p;", False), ("return s[0];", True)):
        source = f"#include <span>\nint f(const char* p, std::span<const char> s);\nint f(const char* p, std::span<const char> s) {{ (void)p, (void)s; {body} }}\n"
        done = subprocess.run(["clang++-19", "-std=c++23", *options, "-fsyntax-only", "-x", "c++", "-"], input=source, capture_output=True, text=True)
        if good != (done.returncode == 0):
            yield f"compiler: {body} is {'refused' if good else 'accepted'}: {done.stderr[:300]}"


def judge_sim_traces():
    sim_traces = importlib.import_module("sim_traces")
    printed = "".join(f"trace: toy {seed} 00000000000000{seed:02x}\n" for seed in range(12))
    traces = sim_traces.traces_of("[ RUN ] x\n" + printed)
    for other, wanted in ((printed, None), (printed.replace("0b", "0c"), "toy 11: 000000000000000b by clang, 000000000000000c by g++"),
                          (printed.replace("toy 3 ", "toy 33 "), "toy 3: 0000000000000003 by clang, None by g++")):
        problems = sim_traces.differences(traces, sim_traces.traces_of(other))
        if (wanted is None) != (not problems) or (wanted and wanted not in problems):
            yield f"sim_traces: wanted {wanted}, found {problems}"
    if not sim_traces.differences({}, {}):
        yield "sim_traces: is content with no trace at all"


def judge_mutants():
    """A mutant that its tests do not notice survives; one without a place, a test or a build is an error."""
    folder = pathlib.Path(__file__).resolve().parent.parent / "mutants"
    spec = importlib.util.spec_from_file_location("mutants_run", folder / "run.py")
    mutants = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(mutants)
    one = {"file": "a.cpp", "old": "n > 3", "new": "n > 4", "target": "a_test", "tests": "A.*"}
    for change, text, builds, notices, wanted in (({}, "n > 3", True, True, None), ({}, "n > 3", True, False, "SURVIVED"),
                                                  ({}, "n > 2", True, True, "stands 0 times"), ({}, "n > 3", False, True, "does not build"),
                                                  ({"tests": "B.*"}, "n > 3", True, True, "names no test")):
        with tempfile.TemporaryDirectory() as copy:
            mutants.COPY = pathlib.Path(copy)
            source = mutants.COPY / "a.cpp"
            source.write_text(text)
            mutants.build = lambda targets: (builds, "error")
            mutants.passes_unbroken.cache_clear()

            def run_tests(mutant, *options):
                if "--gtest_list_tests" in options:
                    return True, "A.\n  b\n" if mutant["tests"] == "A.*" else ""
                return not notices or source.read_text() == text, ""

            mutants.run_tests = run_tests
            mutant = {**one, **change}
            problem = mutants.sound(mutant) or mutants.judge(mutant)
            if source.read_text() != text:
                yield "mutants: left a mutant behind"
        if (wanted is None) != (problem is None) or (wanted and wanted not in problem):
            yield f"mutants: wanted {wanted}, found {problem}"


def run(_tree):
    results = [judge_sample(name, *sample) for name, samples in SAMPLES.items() for sample in samples]
    others = (judge_purity, judge_symbols, judge_hardening, judge_flags, judge_compiler, judge_sim_traces, judge_mutants)
    return [r for r in results if r] + [problem for judge in others for problem in judge()]
