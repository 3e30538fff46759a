"""Names that have no place here, each with what to use instead."""
import re

from tree import is_test, matches

ABOUT = "no clocks, entropy, sleeps or raw memory outside the places that are named for them"

# (pattern, what instead, places where it may stand). Product code: src/ and apps/ without tests.
PRODUCT = [
    (r"\b(system_clock|steady_clock|high_resolution_clock)\b|\b(clock_gettime|gettimeofday)\s*\(|\bstd::time\b",
     "take Now as an input; the clock is read in src/runtime alone", [r"src/runtime/", r"src/sim/interpose", r"apps/"]),
    (r"\b(random_device|getrandom|getentropy)\b",
     "take a SecureRng& (keys, nonces) or a Prng& (jitter)", [r"src/runtime/", r"src/sim/interpose"]),
    (r"\b(sleep_for|sleep_until|usleep|nanosleep)\b|(?<![\w.>:])sleep\s*\(",
     "state a deadline by next_deadline()", []),
    (r"\bstd::(thread|jthread|mutex|condition_variable|async|call_once)\b|\bthread_local\b",
     "one thread owns a machine; threads live in src/runtime", [r"src/runtime/", r"src/sim/", r"apps/"]),
    (r"\bstd::(cout|cerr|clog)\b|(?<![\w.>:])(printf|puts)\s*\(",
     "report by an event or base/log.hpp; only programs print", [r"apps/"]),
    (r"\bgetenv\b", "configuration is read in apps/ and handed in", [r"apps/"]),
    (r"\bassert\s*\(", "CHECK for our own invariants (stays on in release), Result for input", []),
    (r"\b(atoi|atol|stoi|stol|stoul|stoull|strtol|strtoul|strtoull)\b",
     "parse by std::from_chars over a bounded range", []),
]
# Standard engines and distributions differ between libraries, so results would not be reproducible.
EVERYWHERE = [
    (r"\b(mt19937(_64)?|minstd_rand0?|default_random_engine|ranlux\w+|knuth_b)\b"
     r"|\bstd::\w+_distribution\b|\bstd::(random_)?shuffle\b|\bs?rand\s*\(",
     "draw from base/prng.hpp, which gives the same numbers everywhere", []),
]
TESTS = [
    (r"\b(sleep_for|sleep_until|usleep|nanosleep)\b|(?<![\w.>:])sleep\s*\(",
     "drive virtual time, or wait for a line or an exit with a deadline (label process)", []),
    (r"\b(system_clock|steady_clock|high_resolution_clock)\b",
     "hand the machine a virtual Now", [r"src/runtime/", r"tests/process/", r"src/sim/", r"src/crypto/"]),
    (r"\bGTEST_FLAG_SET\(\s*repeat|--gtest_repeat|\bDISABLED_", "no test is retried or switched off", []),
]
# Raw memory: allowed in the files of tools/raw_memory_files.txt, each with its reason.
RAW_LIST = "tools/raw_memory_files.txt"
RAW = (r"\b(reinterpret_cast|const_cast)\b"
       r"|(?<!operator )\bnew\b(?!_)|(?<!= )(?<!=)(?<!operator )\bdelete\b"
       r"|\b(mem(cpy|move|set|cmp|chr)|str(n?cpy|n?cat|len|n?cmp|chr|str|tok)|v?sn?printf|sscanf)\s*\("
       r"|(?<![\w.>])(malloc|calloc|realloc|free|alloca)\s*\("
       r"|#\s*pragma\s+clang\s+unsafe_buffer_usage")


def scan(tree, files, rules):
    for pattern, instead, places in rules:
        for path in files:
            if any(re.match(place, path) for place in places):
                continue
            for line, match in matches(tree, path, pattern):
                yield f"{path}:{line}: {match.group(0).strip()}: {instead}"


def raw_list(tree):
    """path -> reason of RAW_LIST, and the problems of the list itself."""
    reasons, problems = {}, []
    if RAW_LIST not in tree.files():
        return reasons, problems
    previous = ""
    for number, line in enumerate(tree.text(RAW_LIST).splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        path, _, reason = line.partition(": ")
        if path not in tree.files():
            problems.append(f"{RAW_LIST}:{number}: {path} does not exist")
        if not reason.strip():
            problems.append(f"{RAW_LIST}:{number}: {path} has no reason")
        if path <= previous:
            problems.append(f"{RAW_LIST}:{number}: keep the list sorted, each file once")
        previous = path
        reasons[path] = reason
    return reasons, problems


def raw_memory(tree, product):
    allowed, problems = raw_list(tree)
    for path in product:
        found = list(matches(tree, path, RAW))
        if path not in allowed:
            problems += [f"{path}:{line}: {match.group(0).strip()}: use spans, copy_into and owning types, "
                         f"or state a reason in {RAW_LIST}" for line, match in found]
        elif not found:
            problems.append(f"{RAW_LIST}: {path} touches no raw memory any more: remove its line")
    return problems


def run(tree):
    product = tree.product() + [f for f in tree.cpp("apps/") if not is_test(f)]
    tests = [f for f in tree.cpp() if is_test(f)]
    return [*scan(tree, product, PRODUCT), *scan(tree, tree.cpp(), EVERYWHERE), *scan(tree, tests, TESTS),
            *raw_memory(tree, product)]
