"""What `man` and shells read of the programs: made by the programs themselves, and taken by the real readers."""

import fcntl
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import termios
import time
import unittest

sys.path.insert(0, os.path.dirname(__file__))
from support import BIN, DEADLINE_SECONDS, ProcessTest  # noqa: E402

PAGES = {"ethnet.1": ["ethnet", "man"], "EthNetLite.1": ["EthNetLite", "--man"]}
# How a shell starts without what its user has set up, and how it defines a program that says how it was called.
SHELLS = {"bash": (["--norc", "--noprofile", "-i"], "ethnet() { echo \"ran: $*\"; }; ethnet-sim() { echo \"ran: $*\"; }"),
          "zsh": (["-f", "-i"], "autoload -Uz compinit; compinit -D; ethnet() { echo \"ran: $*\" }; ethnet-sim() { echo \"ran: $*\" }"),
          "fish": (["--no-config", "-i"], "function ethnet; echo \"ran: $argv\"; end; function ethnet-sim; echo \"ran: $argv\"; end")}


def printed(*command):
    return subprocess.run([os.path.join(BIN, command[0]), *command[1:]], check=True, capture_output=True, text=True,
                          timeout=DEADLINE_SECONDS).stdout


class Shell:
    """An interactive shell on a terminal of its own."""

    def __init__(self, name, directory):
        self.ours, theirs = pty.openpty()
        environment = {"PATH": os.environ["PATH"], "HOME": directory, "TERM": "xterm", "LC_ALL": "C.UTF-8"}

        def take_terminal():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen([shutil.which(name), *SHELLS[name][0]], stdin=theirs, stdout=theirs, stderr=theirs,
                                        cwd=directory, env=environment, preexec_fn=take_terminal)
        os.close(theirs)
        self.seen = ""

    def type(self, text):
        os.write(self.ours, text.encode())

    def wait_for(self, pattern):
        end = time.monotonic() + DEADLINE_SECONDS
        while not (found := re.search(pattern, self.seen)):
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.ours], [], [], left)[0]:
                raise AssertionError(f"no {pattern!r} in {self.seen!r}")
            try:
                self.seen += os.read(self.ours, 65536).decode(errors="replace")
            except OSError:
                raise AssertionError(f"the shell ended: {self.seen!r}")
        self.seen = self.seen[found.end():]
        return found

    def end(self):
        self.process.kill()
        self.process.wait()
        os.close(self.ours)


class Manual(ProcessTest):
    def completes(self, name):
        if shutil.which(name) is None:
            self.skipTest(f"{name} is not installed")
        with tempfile.TemporaryDirectory() as directory:
            script = os.path.join(directory, "completion")
            with open(script, "w", encoding="utf-8") as file:
                for program in ("ethnet", "ethnet-sim"):
                    file.write(printed(program, "completion", name))
            shell = Shell(name, directory)
            try:
                shell.type(f"{SHELLS[name][1]}\nsource {script}\necho ready-$(echo now)\n")
                shell.wait_for(r"ready-now")
                for typed, wanted in (("ethnet doc\t", "doctor"), ("ethnet das pub\t", "das publish"),
                                      ("ethnet node --http.v\t", "node --http.vhosts"),
                                      ("ethnet node --log.format j\t", "node --log.format json"),
                                      ("ethnet key new compl\t", "key new completion"),
                                      ("ethnet-sim shr\t", "shrink"),
                                      ("ethnet-sim swarm --must\t", "swarm --must-reach")):
                    shell.type(typed + "\n")
                    self.assertEqual(shell.wait_for(r"ran: ([^\r\n]*)").group(1).strip(), wanted)
            finally:
                shell.end()

    def test_bash_completes_commands_options_values_and_files(self):
        self.completes("bash")

    def test_zsh_completes_commands_options_values_and_files(self):
        self.completes("zsh")

    def test_fish_completes_commands_options_values_and_files(self):
        self.completes("fish")

    def test_groff_takes_the_pages_without_a_warning(self):
        if shutil.which("groff") is None:
            self.skipTest("groff is not installed")
        for name, command in PAGES.items():
            page = printed(*command)
            self.assertTrue(page.isascii(), name)
            done = subprocess.run(["groff", "-man", "-ww", "-Tutf8"], input=page, capture_output=True, text=True,
                                  timeout=DEADLINE_SECONDS)
            self.assertEqual((done.returncode, done.stderr), (0, ""), name)
            self.assertRegex(done.stdout, rf"{name[:-2]}\s+-\s")

    def test_every_command_and_option_of_the_help_is_in_the_page(self):
        page = printed("ethnet", "man").replace("\\-", "-").replace("\\fB", "").replace("\\fR", "")
        commands, options = [], 0
        paths = [["ethnet"]]
        while paths:
            path = paths.pop()
            text = printed(*path, "--help")
            below = re.findall(r"^  ([a-z]+) ", text.partition("Subcommands:")[2], re.M)
            if not below:
                commands.append(" ".join(path))
                section = page.partition(f".SS {commands[-1]}\n")[2].partition(".SS ")[0]
                for option in set(re.findall(r"^  (?:-\w,)?(--[\w.-]+)", text, re.M)) - {"--help"}:
                    self.assertRegex(section, rf"(?m)^\S*{re.escape(option)}\b", commands[-1])
                    options += 1
            paths += [[*path, word] for word in below if word != "sim"]  # that one's help is of ethnet-sim
        self.assertGreater(len(commands), 20)
        self.assertGreater(options, 60)

    def test_the_build_makes_what_the_programs_print(self):
        share = os.path.join(os.path.dirname(BIN), "share")
        made = {f"man/man1/{name}": command for name, command in PAGES.items()}
        for program in ("ethnet", "ethnet-sim"):
            made.update({f"bash-completion/completions/{program}": [program, "completion", "bash"],
                         f"zsh/site-functions/_{program}": [program, "completion", "zsh"],
                         f"fish/vendor_completions.d/{program}.fish": [program, "completion", "fish"]})
        for name, command in made.items():
            with open(os.path.join(share, name), encoding="utf-8") as file:
                self.assertEqual(file.read(), printed(*command), name)

    def test_a_shell_that_is_not_known_is_one_clear_line(self):
        done = subprocess.run([os.path.join(BIN, "ethnet"), "completion", "csh"], capture_output=True, text=True,
                              timeout=DEADLINE_SECONDS)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertEqual(len(done.stderr.splitlines()), 1)
        self.assertIn("csh", done.stderr)


if __name__ == "__main__":
    unittest.main()
