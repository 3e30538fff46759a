"""What the released programs are made of: the system's clock and entropy, hardened, and no way to live without memory."""
import re
import subprocess

from tree import first_failure, is_test

ABOUT = "the release programs define no clock or entropy and encrypt, are PIE with RELRO and stack protection, and die when out of memory"

PROGRAMS = ("ethnet", "EthNetLite")
INTERPOSED = {"getrandom", "getentropy", "clock_gettime", "gettimeofday", "time"}


def output(*command):
    return subprocess.run(command, capture_output=True, text=True).stdout


def defined(program):
    """Names that `program` defines itself, exported or not."""
    names = set()
    for options in (["-D", "--defined-only"], ["--defined-only"]):
        listing = output("nm", *options, str(program))
        names |= {line.split()[-1].split("@")[0] for line in listing.splitlines() if line.split()}
    return names


# Part of the mangled name of what only tests may be linked with (src/transport/quic/null_crypto.hpp).
UNENCRYPTED = "make_null_crypto"


def judge(program):
    names = defined(program)
    problems = [f"{program.name}: defines {name}: a simulator's object got into the node" for name in sorted(names & INTERPOSED)]
    return problems + [f"{program.name}: holds {name}: it could speak without encryption" for name in sorted(names) if UNENCRYPTED in name]


# What `readelf` must say of a hardened program, and what it must not.
HARDENED = [
    ("-hW", r"Type:\s+DYN", True, "is not position-independent: its addresses are known to an attacker"),
    ("-lW", r"GNU_RELRO", True, "has no RELRO: its tables of functions stay writable"),
    ("-dW", r"BIND_NOW|Flags:.*\bNOW\b", True, "binds functions late: its tables of functions stay writable"),
    ("-lW", r"GNU_STACK.*E", False, "has an executable stack"),
    ("-sW", r"__stack_chk_fail", True, "has no stack protection"),
]


def hardening(program):
    return [f"{program.name}: {why}" for option, pattern, present, why in HARDENED
            if bool(re.search(pattern, output("readelf", option, str(program)))) != present]


def mains(tree):
    """Programs that would go on, or throw through the core, when memory runs out."""
    return [f"{path}: main() does not begin with make_out_of_memory_fatal() (base/out_of_memory.hpp)"
            for path in tree.cpp("apps/") if not is_test(path) and re.search(r"\bint main\(", tree.code(path))
            and not re.search(r"\bint main\([^)]*\) \{\s*ethnet::make_out_of_memory_fatal\(\);", tree.code(path))]


def run(tree):
    problems = mains(tree)
    if not tree.files("CMakeLists.txt", under="apps/"):
        return problems
    failure = first_failure(tree, (["cmake", "-S", ".", "--preset", "release"],
                                   ["cmake", "--build", "build/release", "--target", *PROGRAMS]))
    if failure:
        return problems + failure
    built = [tree.root / "build/release/bin" / name for name in PROGRAMS]
    return problems + [problem for program in built for problem in judge(program) + hardening(program)]
