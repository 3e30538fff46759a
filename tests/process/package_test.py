"""The package of `cmake --install`, and what other programs build on it (examples/).

The first test installs and builds for the others, which run what it built (a fixture of ctest). The folder is a fixed one in
the build folder, so that ccache finds its objects again.
"""

import os
import re
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(__file__))
from support import BIN, ProcessTest  # noqa: E402

BUILD = os.path.dirname(BIN)
SOURCE = os.environ["ETHNET_SOURCE_DIR"]
FOLDER = os.path.join(BUILD, "package_test")
PREFIX = os.path.join(FOLDER, "prefix")
HEADERS = os.path.join(PREFIX, "include", "ethnet")
EXAMPLES = ("protocol", "watcher")  # the third is what the tutorial builds
WARNINGS = "-Wall -Wextra -Wconversion -Wsign-conversion -Wshadow -Wold-style-cast -Wnon-virtual-dtor -Werror"


def cache():
    """The variables of the build that is tested."""
    with open(os.path.join(BUILD, "CMakeCache.txt"), encoding="utf-8") as file:
        return dict(re.findall(r"^(\w+):\w+=(.*)$", file.read(), re.M))


def builder():
    """The environment in which a program is built as the package was: the same compiler, the same instrumentation. (What
    of it the package says itself, sanitizers, it must say.)"""
    known = cache()
    kind = known.get("CMAKE_BUILD_TYPE", "").upper()
    instrumented = [word for word in known.get(f"CMAKE_CXX_FLAGS_{kind}", "").split() if word.startswith("-f")]
    launcher = {"CMAKE_CXX_COMPILER_LAUNCHER": known["CCACHE"]} if known.get("CCACHE", "").endswith("ccache") else {}
    return {**os.environ, "CXX": known["CMAKE_CXX_COMPILER"], "CXXFLAGS": " ".join([WARNINGS, *instrumented]), **launcher}


def example(path):
    """A program of an example, as FOLDER/PROGRAM."""
    return os.path.join(FOLDER, path)


class Package(ProcessTest):
    def run_to_end(self, *command):
        done = subprocess.run(command, cwd=self.directory, env=builder(), stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        self.assertEqual(done.returncode, 0, f"{' '.join(command)}\n{done.stdout}")
        return done.stdout

    def test_the_examples_build_against_the_installed_package(self):
        shutil.rmtree(FOLDER, ignore_errors=True)
        self.run_to_end("cmake", "--install", BUILD, "--prefix", PREFIX)
        for name in EXAMPLES:
            folder = os.path.join(FOLDER, name)
            said = self.run_to_end("cmake", "-S", os.path.join(SOURCE, "examples", name), "-B", folder, "-G", "Ninja",
                                   f"-DCMAKE_PREFIX_PATH={PREFIX}")
            self.assertNotIn("Warning", said)
            found = re.search(r"^ethnet_DIR:PATH=(.*)$", self.read(os.path.join(folder, "CMakeCache.txt")), re.M)
            self.assertTrue(found.group(1).startswith(PREFIX), found.group(1))
            self.run_to_end("cmake", "--build", folder)
            # Nothing of this tree was looked at but the example itself.
            with open(os.path.join(folder, "build.ninja"), encoding="utf-8") as file:
                self.assertNotIn(f"-I{SOURCE}", file.read())

    def test_every_include_of_an_installed_header_is_installed_and_no_test_is(self):
        installed = {os.path.relpath(os.path.join(folder, name), HEADERS)
                     for folder, _, names in os.walk(HEADERS) for name in names}
        self.assertIn("chain/fork_choice/rule.hpp", installed)
        self.assertEqual([name for name in installed if "test" in name or not name.endswith(".hpp")], [])
        in_tree = os.path.join(SOURCE, "src")
        for name in sorted(installed):
            text = self.read(os.path.join(HEADERS, name))
            for bracket, included in re.findall(r'^#include ([<"])([^>"]+)', text, re.M):
                path = os.path.normpath(os.path.join(os.path.dirname(name), included)) if bracket == '"' else included
                if bracket == '"' or os.path.exists(os.path.join(in_tree, path)):
                    self.assertIn(path, installed, f"{name} includes it")

    def test_the_programs_and_their_documents_are_installed(self):
        for program in ("ethnet", "EthNetLite", "ethnet-sim"):
            self.assertTrue(os.access(os.path.join(PREFIX, "bin", program), os.X_OK), program)
        shared = os.path.join(PREFIX, "share")
        for path in ("doc/ethnet/README.md", "doc/ethnet/LICENSE", "doc/ethnet/docs/LAB.md",
                     "ethnet/scenarios/lab/balancing-votes.yaml", "ethnet/scenarios/sim/two-rules.yaml",
                     "man/man1/ethnet.1", "man/man1/EthNetLite.1", "bash-completion/completions/ethnet",
                     "zsh/site-functions/_ethnet", "fish/vendor_completions.d/ethnet.fish",
                     "bash-completion/completions/ethnet-sim", "zsh/site-functions/_ethnet-sim",
                     "fish/vendor_completions.d/ethnet-sim.fish"):
            self.assertTrue(os.path.isfile(os.path.join(shared, path)), path)
        said = self.run_to_end(os.path.join(PREFIX, "bin", "ethnet"), "sim", "run",
                               os.path.join(shared, "ethnet/scenarios/sim/two-rules.yaml"))
        self.assertRegex(said, r"(?m)^\d+ met, 0 not met")

    def test_a_protocol_of_ones_own_counts_to_ten_over_tls_and_loss(self):
        said = self.run_to_end(example("protocol/tally"))
        self.assertRegex(said, r"alice has a session with tally-example/0\.1, agreed: tally/0\.1\n")
        for name, other in (("alice", "bob"), ("bob", "alice")):
            counted = [int(number) for number in re.findall(rf"{name} counts (\d+)$", said, re.M)]
            self.assertEqual(counted, list(range(1, 11)), f"{other}\n{said}")
        lost = re.search(r"^done: \d+ datagrams sent, (\d+) lost$", said, re.M)
        self.assertGreater(int(lost.group(1)), 0, said)
        self.assertEqual(self.run_to_end(example("protocol/tally")), said, "the seed decides everything")
        self.assertNotEqual(self.run_to_end(example("protocol/tally"), "2"), said)

    def test_a_watcher_tells_of_the_reorganisations_of_a_running_node(self):
        node = self.start(os.path.join(PREFIX, "bin", "ethnet"), "node", "--addr", "127.0.0.1", "--port", 0, "--datadir",
                          "d", "--http=false", "--grpc=false", "--produce", "--produce-forks", "--period", 1)
        port = node.wait_for(r"Started P2P networking.* port=(\d+)").group(1)
        watcher = self.start(example("watcher/watcher"), f"127.0.0.1:{port}", 1)
        watcher.wait_for(r"^peer +MiniEthNet/v[\d.]+\S* at 127\.0\.0\.1:\d+$")
        watcher.wait_for(r"^head +\d+ 0x[0-9a-f]{4}")
        told = watcher.wait_for(r"^reorg +depth (\d+) at (0x\w+)….*: removed \[(.*)\], added \[(.*)\]$")
        self.assertEqual(watcher.exit_code(), 0, watcher.rest())
        self.assertEqual(len(told.group(3).split(", ")), int(told.group(1)))
        self.assertGreater(len(told.group(4).split(", ")), 0)
        node.wait_for(rf"\[REORG\] fork_point={told.group(2)}")
        self.stop(node)


if __name__ == "__main__":
    unittest.main()
