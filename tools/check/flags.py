"""What the compiler is really told: the command line of every source under every preset.

A rule that stands in cmake/ holds only where it reaches the compiler. So each preset is configured into a
folder of its own (nothing is built) and its compile_commands.json is read.
"""
import concurrent.futures
import json
import os
import re
import shlex
import subprocess

from tree import is_test

ABOUT = "every preset compiles every source with all warnings as errors, library assertions and stack protection"

HARDENED = {"-D_GLIBCXX_ASSERTIONS", "-fstack-protector-strong", "-fno-omit-frame-pointer"}
COMMON = HARDENED | {
          "-Wall", "-Wextra", "-Wconversion", "-Wsign-conversion", "-Wshadow", "-Wold-style-cast", "-Wcast-align",
          "-Wcast-qual", "-Wnon-virtual-dtor", "-Woverloaded-virtual", "-Wformat=2", "-Wmissing-declarations", "-Werror"}
CLANG = {"-Wshadow-all", "-Wextra-semi", "-Wimplicit-fallthrough"}
GNU = {"-Wlogical-op", "-Wduplicated-cond", "-Wduplicated-branches"}
PRODUCT = {"-Wpedantic", "-Wnull-dereference"}
CORE = {"-fno-exceptions"}
CORE_CLANG = {"-Wunsafe-buffer-usage"}
# Only an optimised build can check the sizes that the C library is given.
RELEASE = {"-D_FORTIFY_SOURCE=2"}

# Switching a warning off, or to a mere warning, is allowed for these alone.
ALLOWED_OFF = {"-Wno-unknown-pragmas"}
_OFF = re.compile(r"-w$|-Wno-|-fpermissive$|-Xclang$|-isystem[\s=]?.*/src(/|$)|-fno-stack-protector|-fno-sanitize=(?!function$)|"
                  r"-U_GLIBCXX_ASSERTIONS|-fms-extensions|--system-header-prefix")
_KEEP = {"-fno-sanitize-recover=all"}
# Preloaded into a program before its sanitizer has begun, so it cannot have one.
_UNSANITIZED = {"tests/process/hung_disk.cpp"}

# Sources that a tool makes lie in the build folder; their warnings are the tool's.
MADE = "build/"
EDGE = ("src/runtime/", "src/observe/", "src/control/", "src/census/", "src/lab/", "src/sim_file/")


def wanted(path, preset, gnu):
    """The options that must be on the command line of the source `path`."""
    if path.startswith(MADE):
        return HARDENED | RELEASE if preset == "release" else HARDENED
    options = COMMON | (GNU if gnu else CLANG)
    if not is_test(path) and path.startswith(("src/", "apps/")):
        options |= PRODUCT
        if path.startswith("src/") and not path.startswith(EDGE):
            options |= CORE if gnu else CORE | CORE_CLANG
    return options | RELEASE if preset == "release" else options


def judge(path, preset, command):
    options = shlex.split(command)
    gnu = "clang" not in next(o for o in options if re.search(r"(clang|g)\+\+", o))
    problems = [f"{path}: preset {preset} compiles it without {option}"
                for option in sorted(wanted(path, preset, gnu) - set(options))]
    allowed = ALLOWED_OFF | _KEEP | ({"-fno-sanitize=all"} if path in _UNSANITIZED else set())
    return problems + [f"{path}: preset {preset} compiles it with {option}"
                       for option in options if _OFF.match(option) and option not in allowed]


def presets(tree):
    described = json.loads(tree.text("CMakePresets.json"))["configurePresets"]
    return [p["name"] for p in described if not p.get("hidden")]


def configure(tree, preset):
    """The compile commands of a preset as (path, command), or a problem."""
    folder = tree.root / "build" / "check" / f"flags-{preset}"
    done = subprocess.run(["cmake", "-S", ".", "--preset", preset, "-B", str(folder)], cwd=tree.root,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    listing = folder / "compile_commands.json"
    if done.returncode != 0 or not listing.exists():
        return preset, None, [f"CMakePresets.json: preset {preset} does not configure: {done.stderr.strip()[-300:]}"]
    entries = json.loads(listing.read_text())
    return preset, [(os.path.relpath(e["file"], tree.root), e["command"]) for e in entries], []


def run(tree):
    if "CMakePresets.json" not in tree.files():
        return []
    problems, seen = [], set()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for preset, entries, failure in pool.map(lambda name: configure(tree, name), presets(tree)):
            problems += failure
            for path, command in entries or []:
                seen.add(path)
                problems += judge(path, preset, command)
    # examples/ is built by a test (process.Package.*, process.Tutorial.*), with warnings as errors too.
    missing = [f for f in tree.cpp() if f.endswith(".cpp") and f not in seen and not f.startswith("examples/")]
    return problems + [f"{path}: no preset compiles it" for path in missing]
