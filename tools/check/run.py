"""./dev check: runs every check (or those named), prints what each found, fails when one found anything.

    ./dev check            all
    ./dev check NAME...    some
    ./dev check --list     what there is
"""
import importlib
import pathlib
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from tree import Tree  # noqa: E402

# Cheap ones first; the last ones build.
CHECKS = ["selftest", "format", "includes", "banned", "sizes", "text", "targets", "limits", "links", "threats", "invariants", "facts", "diagrams",
          "flags", "headers", "gcc", "sim_traces", "purity", "symbols", "mutants", "fuzz"]


def main(arguments):
    if "--list" in arguments:
        for name in CHECKS:
            print(f"{name:12} {importlib.import_module(name).ABOUT}")
        return 0
    unknown = [name for name in arguments if name not in CHECKS]
    if unknown:
        print(f"check: unknown {', '.join(unknown)}; there are: {', '.join(CHECKS)}")
        return 1
    tree = Tree(HERE.parent.parent)
    failed = []
    for name in arguments or CHECKS:
        check = importlib.import_module(name)
        started = time.monotonic()
        problems = check.run(tree)
        print(f"check {name:12} {'ok' if not problems else 'FAILED':6} {time.monotonic() - started:6.1f} s  {check.ABOUT}",
              flush=True)
        for problem in problems:
            print(f"  {problem}", flush=True)
        if problems:
            failed.append(name)
    print(f"check: {len(arguments or CHECKS) - len(failed)} ok, {len(failed)} failed" +
          (f" ({', '.join(failed)})" if failed else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
