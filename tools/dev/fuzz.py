"""Runs one libFuzzer program until it has had so many seconds of CPU, and says in a line what came of it.

    fuzz.py PROGRAM TARGET SECONDS RESULTS [OPTIONS AND FOLDERS OF LIBFUZZER...]

By CPU time, so that "20 minutes" is the same work on a busy machine as on an idle one. The line is
printed, and added to the file RESULTS. Exits with libFuzzer's code: not 0 when it found something.
"""
import os
import re
import select
import signal
import subprocess
import sys
import time

GRACE_SECONDS = 120  # for the end of the input that it is at, and its statistics


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def summary(target, used, text, code):
    """One line: executions, coverage, what was found."""
    def last(pattern):
        found = re.findall(pattern, text)
        return found[-1] if found else "?"

    executions = last(r"stat::number_of_executed_units: (\d+)")
    coverage, features, corpus = last(r"cov: (\d+)"), last(r"ft: (\d+)"), last(r"corp: (\d+)")
    found = "nothing found" if code == 0 else "FOUND: " + last(r"SUMMARY: ([^\n]*)")
    return (f"fuzz: {target:16} {used:7.0f} s of CPU, {executions:>9} executions, cov {coverage}, ft {features}, "
            f"corpus {corpus}, {found}")


def follow(process, seconds, on_text):
    """Passes on what the program says until it ends, and asks it to end when it has had its time."""
    used, asked = 0.0, None
    while True:
        if select.select([process.stderr], [], [], 0.5)[0]:
            piece = os.read(process.stderr.fileno(), 65536)
            if not piece:
                process.wait()
                return used
            on_text(piece.decode(errors="replace"))
        if process.poll() is None:
            used = cpu_seconds(process.pid)
        if used >= seconds and asked is None:
            process.send_signal(signal.SIGUSR1)  # libFuzzer ends in good order
            asked = time.monotonic()
        if asked is not None and time.monotonic() > asked + GRACE_SECONDS:
            process.kill()


def main(program, target, seconds, results, *rest):
    process = subprocess.Popen([program, *rest], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    pieces = []

    def on_text(piece):
        pieces.append(piece)
        sys.stderr.write(piece)

    used = follow(process, float(seconds), on_text)
    line = summary(target, used, "".join(pieces), process.returncode)
    print(line, flush=True)
    with open(results, "a", encoding="utf-8") as file:
        file.write(line + "\n")
    return process.returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
