"""The include table of docs/ARCHITECTURE.md, as data.

A project header may be included when it is of the same module (in quotes), or when its path begins
with an entry of the module's row (in angle brackets). An entry that names a header opens that header
alone; what it includes in turn is judged by its own row. Since every file of a module is judged by
the same row, direct includes are all that has to be looked at. Tests may include anything.
"""
import posixpath
import pathlib
import re

from tree import Tree, is_test

ABOUT = "every include is allowed by the table of docs/ARCHITECTURE.md, in its own kind of brackets"

_PURE = ["base/", "crypto/", "codec/", "types/", "trie/", "machine/"]
_CONN = ["transport/conn.hpp"]
_TRANSPORT = _CONN + ["transport/transport_machine.hpp"]
_NODE_FACE = ["node/events.hpp", "node/snapshot.hpp", "node/static_peer.hpp", "node/query.hpp"]
_CORE = _PURE + ["discovery/", "transport/", "chain/", "das/", "session/", "protocol/", "peers/"]
_PROTOCOL = ["base/", "codec/", "types/", "machine/", "crypto/", "session/mux.hpp", "session/requests.hpp",
             "session/serve_queue.hpp",
             "session/capability.hpp", "session/token_bucket.hpp", "chain/chain_view.hpp"]

# Module (the longest prefix of the file's folder wins) -> what it may include besides itself.
ROWS = {
    "base": [],
    "crypto": ["base/"],
    "codec": ["base/"],
    "types": ["base/", "crypto/", "codec/", "trie/"],
    "trie": ["base/", "crypto/", "codec/", "types/hash.hpp"],
    "machine": ["base/", "types/"],
    "discovery/kbucket": _PURE,
    "discovery/filter": _PURE,
    "discovery/dns": _PURE,
    "nat": _PURE,
    "discovery/lite": _PURE + ["discovery/kbucket/", "discovery/filter/"],
    "discovery/v4": _PURE + ["discovery/kbucket/", "discovery/filter/"],
    "discovery/v5": _PURE + ["discovery/kbucket/", "discovery/filter/"],
    "discovery/host": _PURE + ["discovery/kbucket/", "discovery/filter/", "discovery/v4/", "discovery/v5/"],
    "discovery/crawl": _PURE + ["discovery/kbucket/", "discovery/v4/", "discovery/v5/", "discovery/host/"],
    "transport": _PURE,
    "transport/quic": _PURE + _TRANSPORT,
    "transport/rlpx": _PURE + _TRANSPORT,
    "transport/memory": _PURE + _TRANSPORT,
    "chain": _PURE,
    "das": _PURE,
    "session": ["base/", "crypto/", "codec/", "types/", "machine/"] + _CONN,
    "protocol/mini_sync": _PROTOCOL,
    "protocol/das_lite": _PROTOCOL + ["das/"],
    "protocol/discv_lite": _PROTOCOL + ["discovery/kbucket/", "discovery/lite/"],
    "protocol/eth": _PROTOCOL,
    "protocol/snap": _PROTOCOL,
    "peers": ["base/", "types/", "machine/"],
    "node": _CORE + ["store/chain_store.hpp"],
    "store": ["base/", "types/", "chain/"],
    "runtime": ["node/", "store/chain_store.hpp", "crypto/wipe.hpp", "machine/", "types/", "base/"],
    "sim": _CORE + ["node/", "store/chain_store.hpp"],
    "lab": ["base/", "codec/", "crypto/", "types/", "machine/", "chain/"],
    "sim_file": ["base/", "types/", "chain/", "node/", "sim/", "lab/yaml.hpp", "lab/yaml_values.hpp", "lab/fault.hpp"],
    "observe": ["base/", "types/"] + _NODE_FACE,
    "control": ["base/", "types/", "chain/", "das/", "protocol/das_lite/limits.hpp", "node/",
                "observe/accept_loop.hpp", "observe/grpc_door.hpp"],
    "census": ["base/", "types/", "discovery/crawl/", "discovery/kbucket/", "observe/accept_loop.hpp",
               "observe/host_names.hpp", "observe/static_files.hpp"],
}

# Headers that narrow a row: these files themselves include base and types only.
NARROW = {f"src/{face}": ["base/", "types/"] for face in _NODE_FACE}

# Third-party and system headers: pattern -> the only places (path patterns) that may include them.
THIRD_PARTY = [
    (r"fmt/", [r"src/"]),
    (r"(ngtcp2|gnutls)/", [r"src/transport/quic/[^/]*\.cpp$"]),
    (r"secp256k1", [r"src/crypto/[^/]*\.cpp$", r"src/sim/interpose/[^/]*$"]),
    (r"openssl/", [r"src/crypto/[^/]*\.cpp$"]),
    (r"malloc\.h", [r"src/transport/quic/counting_memory\.cpp$"]),
    (r"(immintrin|cpuid)\.h", [r"src/crypto/[^/]*\.cpp$"]),
    (r"snappy", [r"src/codec/[^/]*\.cpp$"]),
    (r"rocksdb/", [r"src/store/rocksdb\.cpp$"]),
    (r"boost/", [r"src/runtime/", r"src/observe/", r"src/control/", r"src/census/"]),
    (r"(grpc|google|prometheus)", [r"src/observe/", r"src/control/"]),
    (r"ethscope\.(grpc\.)?pb\.h", [r"src/observe/"]),  # made of proto/
    (r"control\.(grpc\.)?pb\.h", [r"src/control/"]),
    (r"nlohmann/", [r"src/.*\.cpp$", r"src/types/genesis_json\.hpp$", r"src/observe/rpc_queries\.hpp$"]),
    (r"sqlite3\.h", [r"src/census/sqlite\.cpp$"]),
    (r"miniupnpc/", [r"src/runtime/upnp_gateway\.cpp$"]),
    (r"ares\.h", [r"src/runtime/dns_resolver\.cpp$"]),
    (r"toml\+\+/", [r"src/runtime/[^/]*\.cpp$"]),
    (r"yaml-cpp/", [r"src/lab/yaml\.cpp$"]),
    (r"(CLI|benchmark)/", []),
    (r"(gtest|gmock|rapidcheck)", []),
    (r"(sys|netinet|net|arpa|linux)/|(unistd|fcntl|poll|netdb|pthread|signal|dlfcn|time)\.h",
     [r"src/runtime/", r"src/store/", r"src/sim/interpose", r"src/transport/quic/", r"src/observe/descriptor_list", r"src/control/unix_acceptor"]),
]
_STANDARD = re.compile(r"[a-z_0-9]+")
_INCLUDE = re.compile(r"^[ \t]*#[ \t]*include[ \t]*(?:<([^>]+)>|\"([^\"]+)\")", re.M)
# Every way to bring in another file. What is one of these and not _INCLUDE hides what it includes.
_ANY_INCLUDE = re.compile(r"#[ \t]*(?:include|include_next|import|embed)\b[^\n]*|^[ \t]*(?:export[ \t]+)?import\b(?![ \t]*[(=])[^\n]*", re.M)


def module_of(path):
    """`transport/quic` for src/transport/quic/tls.cpp; None outside src/."""
    if not path.startswith("src/"):
        return None
    folder = posixpath.dirname(path)[len("src/"):]
    while folder and folder not in ROWS:
        folder = posixpath.dirname(folder)
    return folder or posixpath.dirname(path)[len("src/"):]


def judge_project(path, target, quoted):
    """The problem with a project include, or None. `target` is the header's path below src/."""
    mine, theirs = module_of(path), module_of("src/" + target)
    if mine is not None and mine == theirs:
        return None if quoted else "is of the same module: include it in quotes, by its short path"
    if quoted:
        return "is of another module: include it in angle brackets, as <module/header.hpp>"
    if mine is None or is_test(path):
        return None
    if mine not in ROWS:
        return f"module '{mine}' has no row in tools/check/includes.py"
    row = NARROW.get(path, ROWS[mine])
    if any(target == entry or (entry.endswith("/") and target.startswith(entry)) for entry in row):
        if is_test("src/" + target):
            return "is test support: only tests may include it"
        return None
    return f"may not be included by {mine} (its row: {', '.join(row) or 'the standard library alone'})"


def judge_third_party(path, header):
    for pattern, places in THIRD_PARTY:
        if re.match(pattern, header):
            if any(re.match(place, path) for place in places):
                return None
            return f"is allowed only in: {', '.join(places) or 'tests'}"
    if _STANDARD.fullmatch(header):
        return None
    return "is no header that tools/check/includes.py knows"


def judge_outside(path):
    """The problem with including a project header that is not of src/, or None."""
    if path.startswith("src/") and not is_test(path):
        return "lies outside src/: a module includes modules, never apps, bench or tests"
    return None


def judge(tree, known, path, angled, quoted):
    if quoted is not None:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(path), quoted))
        if target not in known:
            return f"{quoted} is not in this file's folder"
        if not target.startswith("src/"):
            return judge_outside(path)
        return judge_project(path, target[len("src/"):], quoted=True)
    if "src/" + angled in known:
        return judge_project(path, angled, quoted=False)
    if angled in known:
        return judge_outside(path)
    if is_test(path) or not path.startswith("src/"):
        return None
    return judge_third_party(path, angled)


def mended(tree, known, path):
    """The text of `path` with the brackets of its project includes as the rule wants them."""
    def mend(match):
        angled, quoted = match.group(1), match.group(2)
        target = "src/" + angled if angled else posixpath.normpath(posixpath.join(posixpath.dirname(path), quoted))
        if target not in known or not target.startswith("src/") or not path.startswith("src/"):
            return match.group(0)
        if module_of(path) == module_of(target):
            return f'#include "{posixpath.relpath(target, posixpath.dirname(path))}"'
        return f"#include <{target[len('src/'):]}>"

    return _INCLUDE.sub(mend, tree.text(path))


def mend_all(tree):
    known = set(tree.cpp())
    for path in known:
        text = mended(tree, known, path)
        if text != tree.text(path):
            (tree.root / path).write_text(text)


def run(tree):
    problems = []
    files = tree.cpp()
    known = set(files)
    for path in files:
        text = tree.code(path)
        for match in _INCLUDE.finditer(text):
            problem = judge(tree, known, path, match.group(1), match.group(2))
            if problem:
                line = text.count("\n", 0, match.start()) + 1
                problems.append(f"{path}:{line}: {match.group(1) or match.group(2)} {problem}")
        seen = {match.start() + match.group(0).index("#") for match in _INCLUDE.finditer(text)}
        problems += [f"{path}:{text.count(chr(10), 0, match.start()) + 1}: {match.group(0).strip()}: include by a plain name, at the start of a line"
                     for match in _ANY_INCLUDE.finditer(text) if match.start() not in seen]
    return problems


if __name__ == "__main__":  # ./dev fmt
    mend_all(Tree(pathlib.Path(__file__).resolve().parent.parent.parent))
