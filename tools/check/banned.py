"""Names that have no place here, each with what to use instead."""
import re

from tree import is_test, matches

ABOUT = "no clocks, entropy, sleeps, prints or raw memory outside the places that are named for them; TRY stands alone"

# (pattern, what instead, places where it may stand). Product code: src/ and apps/ without tests.
PRODUCT = [
    (r"\b(system|steady|high_resolution|utc|tai|gps|file)_clock\b|\b(clock_gettime|gettimeofday|timespec_get)\s*\("
     r"|\bstd::time\b|(?<![\w>])(std)?::clock\s*\(\s*\)|(?<![\w.>:])(::)?time\s*\(\s*(nullptr|NULL|0|&)"
     r"|\b__(builtin_ia32_)?rdtscp?\b|\b__(DATE|TIME|TIMESTAMP)__\b",
     "take Now as an input; the clock is read in src/runtime alone", [r"src/runtime/", r"src/sim/interpose", r"apps/"]),
    (r"\b(random_device|getrandom|getentropy|arc4random\w*|[dlm]rand48)\b",
     "take a SecureRng& (keys, nonces) or a Prng& (jitter)", [r"src/runtime/", r"src/sim/interpose"]),
    (r"\b(sleep_for|sleep_until|usleep|nanosleep)\b|(?<![\w.>:])(::)?sleep\s*\(",
     "state a deadline by next_deadline()", []),
    (r"\bstd::(thread|jthread|mutex|condition_variable|async|call_once)\b|\bthread_local\b",
     "one thread owns a machine; threads live in src/runtime, src/observe, src/control and src/census", [r"src/runtime/", r"src/observe/", r"src/control/", r"src/census/", r"src/sim/", r"apps/"]),
    (r"\bstd::(cout|cerr|clog)\b|\b(fmt|std)::print(ln)?\s*\("
     r"|(?<![\w.>])(v?[fd]?printf|f?puts|f?putc|putchar|fwrite|perror)\s*\(",
     "report by an event or base/log.hpp; only programs print",
     [r"apps/", r"src/runtime/log_writer\.cpp", r"src/base/check\.cpp"]),
    (r"\bgetenv\b", "configuration is read in apps/ and handed in", [r"apps/"]),
    (r"\bassert\s*\(", "CHECK for our own invariants (stays on in release), Result for input", []),
    (r"##|\w\\\n[ \t]*\w", "write names out, so that the checks can find them", [r"src/base/result\.hpp"]),
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
# The page: what the network says is text, and nothing is loaded from elsewhere.
PAGE = [
    (r"\b(inner|outer)HTML\b|\binsertAdjacentHTML\b|\bdocument\.write|\bDOMParser\b|\bcreateContextualFragment\b|\bsrcdoc\b"
     r"|\bsetHTML\w*\b|\beval\s*\(|\bnew\s+Function\b",
     "make elements by ui/dom.ts, which writes text as text", [r"web/test/"]),
    (r"\bset(Attr|Attribute)\([^,()]*,?\s*['\"]style|\bcssText\b", "the policy allows no inline style: set one property by element.style", []),
    (r"https?://(?!127\.0\.0\.1|\$\{|www\.w3\.org/)", "the page works without any network but the node's", []),
    (r"\bwaitForTimeout\b", "wait for what is to be seen, with a deadline", []),
]
# Raw memory: allowed in the files of tools/raw_memory_files.txt, each with its reason.
RAW_LIST = "tools/raw_memory_files.txt"
RAW = (r"\b(reinterpret_cast|const_cast)\b"
       # Casts between pointers by another name, and types that are read as what they are not.
       r"|\bstatic_cast\s*<[^<>;{}]*(<[^;{}]*>)?\s*(const\s*)?\*\s*(const\s*)?>|\bbit_cast\s*<[^;{}()]*\*\s*>"
       r"|\bunion\b(?!\s*\()|\b(launder|start_lifetime_as(_array)?)\b"
       r"|(?<!operator )\bnew\b(?!_|>)|(?<!= )(?<!=)(?<!operator )\bdelete\b|\boperator\s+(new|delete)\b"
       r"|\bstd::(allocator|construct_at|destroy(_at|_n)?|uninitialized_\w+|get_temporary_buffer)\b"
       r"|\b(mem(cpy|move|set|cmp|chr|pcpy)|b(copy|zero|cmp)|str(n?cpy|n?cat|len|n?cmp|n?dup|chr|str|tok)|v?sn?printf|sscanf)\s*\("
       r"|\b__builtin_\w*(mem|str|alloca|snprintf)\w*\s*\("
       r"|(?<![\w.>])(malloc|calloc|realloc|free|alloca|(posix_)?memalign|aligned_alloc|mmap|munmap)\s*\("
       r"|\b(asm|__asm|__asm__)\b|\bva_(list|start|arg)\b"
       # What would silence the compiler about any of this.
       r"|#\s*pragma\s+clang\s+unsafe_buffer_usage|#\s*pragma\s+\w+\s+(diagnostic|system_header)|\b_Pragma\s*\("
       r"|#\s*(line\b|\d)|\bunsafe_buffer_usage\s*\]|\bno_sanitize\w*|\bdisable_sanitizer_instrumentation\b"
       r"|\b(gsl|clang)::suppress\b|\bno_stack_protector\b")

_TRY = re.compile(r"(?<![\w#])TRY\s*\(")


def scan(tree, files, rules):
    for pattern, instead, places in rules:
        for path in files:
            if any(re.match(place, path) for place in places):
                continue
            for line, match in matches(tree, path, pattern):
                yield f"{path}:{line}: {match.group(0).strip()}: {instead}"


def page(tree):
    for path in tree.files(".ts", ".html", ".css", under="web/"):
        for pattern, instead, places in PAGE:
            if any(re.match(place, path) for place in places):
                continue
            for number, line in enumerate(tree.text(path).splitlines(), 1):
                if re.search(pattern, line):
                    yield f"{path}:{number}: {line.strip()[:60]}: {instead}"


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


def misplaced_try(tree, path):
    """TRY where it is neither a statement nor a whole initialiser: g++ 12 leaks a temporary there."""
    code = re.sub(r"^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", lambda m: re.sub(r"[^\n]", " ", m.group(0)), tree.code(path), flags=re.M)
    for match in _TRY.finditer(code):
        depth, end = 1, match.end()
        while depth and end < len(code):
            depth += {"(": 1, ")": -1}.get(code[end], 0)
            end += 1
        before = re.split(r"(?<=[;{}])", code[:match.start()].rstrip())
        before = before[-1] or before[-2]
        alone = before.endswith((";", "{", "}", "=", ")", ":")) or re.search(r"\b(else|do)$", before)
        alone = alone and "?" not in before
        if not alone or code[end:].lstrip()[:1] != ";":
            yield f"{path}:{code.count(chr(10), 0, match.start()) + 1}: TRY: as a statement or a whole initialiser only"


def run(tree):
    product = tree.product() + [f for f in tree.cpp("apps/") if not is_test(f)]
    tests = [f for f in tree.cpp() if is_test(f)]
    return [*scan(tree, product, PRODUCT), *scan(tree, tree.cpp(), EVERYWHERE), *scan(tree, tests, TESTS),
            *raw_memory(tree, product), *page(tree), *(problem for path in tree.cpp() for problem in misplaced_try(tree, path))]
