"""Reads ctest's JUnit file and says what ran: failures, skips with their reason, vectors and seeds.

A test says how many vectors or simulator seeds it ran by a line that begins with `vectors: ` or
`seeds: `. The last line printed is `N passed, N failed, N skipped`; the exit status is 0 only when
something passed, nothing failed and ctest itself was content.
"""
import re
import sys
import xml.etree.ElementTree as xml


def output_of(case):
    return case.findtext("system-out") or ""


def skip_reason(case):
    text = output_of(case)
    found = re.search(r": Skipped\n(.*?)\n(?=\[|\n|$)", text, re.S)
    if found and found.group(1).strip():
        return " ".join(found.group(1).split())
    node = case.find("skipped")
    return (node.get("message") if node is not None else "") or "no reason given"


def classify(cases):
    passed, failed, skipped = [], [], []
    for case in cases:
        status = case.get("status")
        if status == "run":
            passed.append(case)
        elif status == "fail":
            failed.append(case)
        else:
            skipped.append(case)
    return passed, failed, skipped


def print_counts(cases, keyword):
    lines, total = [], 0
    for case in cases:
        for line in re.findall(rf"^{keyword}: (.+)$", output_of(case), re.M):
            lines.append(line.strip())
            total += sum(int(n.replace(",", "")) for n in re.findall(r"(?<![\w.])\d[\d,]*(?=[ ,;]|$)", line))
    if lines:
        print(f"\n{keyword}: {total} in all")
        for line in sorted(set(lines)):
            print(f"  {line}")


def print_skipped(skipped):
    by_reason = {}
    for case in skipped:
        by_reason.setdefault(skip_reason(case), []).append(case.get("name"))
    for reason, names in sorted(by_reason.items()):
        print(f"\nskipped ({len(names)}): {reason}")
        for name in names:
            print(f"  {name}")


def main(path, ctest_status):
    try:
        cases = list(xml.parse(path).getroot().iter("testcase"))
    except (OSError, xml.ParseError) as error:
        print(f"no test ran: ctest left no report ({error})")
        print("0 passed, 1 failed, 0 skipped")
        return 1
    passed, failed, skipped = classify(cases)
    print_counts(cases, "vectors")
    print_counts(cases, "seeds")
    print_skipped(skipped)
    slowest = sorted(cases, key=lambda case: -float(case.get("time") or 0))[:5]
    print("\nslowest: " + ", ".join(f"{c.get('name')} {float(c.get('time') or 0):.1f} s" for c in slowest))
    for case in failed:
        print(f"FAILED: {case.get('name')}")
    broken = 1 if ctest_status != 0 and not failed else 0
    if broken:
        print(f"ctest ended with status {ctest_status} although no test failed: counted as a failure")
    print(f"{len(passed)} passed, {len(failed) + broken} failed, {len(skipped)} skipped")
    return 0 if passed and not failed and not broken else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
