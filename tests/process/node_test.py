"""Whole processes: what a user types, and what must hold whatever happens to them."""

import json
import os
import random
import re
import stat
import subprocess
import sys
import time
import unittest
import xml.etree.ElementTree

sys.path.insert(0, os.path.dirname(__file__))
from support import BIN, ProcessTest  # noqa: E402

VECTORS = os.environ.get(
    "ETHNET_VECTORS", os.path.join(os.environ["ETHNET_SOURCE_DIR"], "..", "shared", "vectors"))
CHAIN = os.path.join(VECTORS, "chain_amsterdam", "chain.rlp")
GENESIS = os.path.join(VECTORS, "chain_amsterdam", "genesis.json")


def head_of_chain():
    with open(os.path.join(VECTORS, "chain_amsterdam", "headblock.json"), encoding="ascii") as file:
        return json.load(file)["hash"]


class ShortForm(ProcessTest):
    def shared_head(self, nodes, seconds):
        """(short hash, height) of a head above genesis that every node had, in time."""
        end = time.monotonic() + seconds
        heads = [[] for _ in nodes]
        while not set.intersection(*map(set, heads)):
            lowest = min(range(len(nodes)), key=lambda i: heads[i][-1][1] if heads[i] else 0)
            heads[lowest].append(nodes[lowest].next_head(end - time.monotonic()))
        return set.intersection(*map(set, heads)).pop()

    def three_terminals(self, order):
        """The three literal commands in one directory, started in this order."""
        ports = self.free_ports(3)
        commands = [("EthNetLite", ports[0]),
                    ("EthNetLite", ports[1], f"127.0.0.1:{ports[0]}"),
                    ("EthNetLite", ports[2], f"127.0.0.1:{ports[0]}")]
        # The commands are what a user types; that heads are lines is for the test to see them.
        nodes = {i: self.start(*commands[i], environment={"ETHNET_VERBOSITY": "4"}) for i in order}
        _, height = self.shared_head([nodes[i] for i in range(3)], 30)
        self.assertGreater(height, 0)
        for i in range(3):
            self.assertGreaterEqual(self.stop(nodes[i])[1], height)

    def test_three_terminals_in_order(self):
        self.three_terminals((0, 1, 2))

    def test_three_terminals_in_reverse_order(self):
        self.three_terminals((2, 1, 0))

    def test_bad_arguments_are_one_clear_line(self):
        for arguments in ((), ("0",), ("banana",), ("70000",), ("9001", "nowhere"), ("1", "2", "3")):
            process = self.start("EthNetLite", *arguments)
            self.assertEqual(process.exit_code(), 1)
            self.assertRegex(process.rest(), r"\AEthNetLite: .+\Z")


class Node(ProcessTest):
    def node(self, *arguments, **options):
        return self.start("ethnet", "node", "--addr", "127.0.0.1", *arguments, **options)

    def test_a_second_node_in_one_directory_is_refused(self):
        first = self.node("--port", 0, "--datadir", "d")
        first.wait_for("Started P2P networking")
        second = self.node("--port", 0, "--datadir", "d")
        self.assertEqual(second.exit_code(), 1)
        self.assertEqual(second.rest(), "ethnet: data directory d is in use by another node")
        self.stop(first)

    def test_a_port_in_use_is_one_clear_line(self):
        first = self.node("--port", 0, "--datadir", "a")
        port = first.wait_for(r" port=(\d+)").group(1)
        second = self.node("--port", port, "--datadir", "b")
        self.assertEqual(second.exit_code(), 1)
        self.assertEqual(second.rest(), f"ethnet: port {port}/udp is in use")

    def test_the_node_key_is_private_kept_and_checked(self):
        first = self.node("--port", 0, "--datadir", "d")
        identity = first.wait_for(r"self=(enode://[0-9a-f]{128})").group(1)
        self.stop(first)
        key = os.path.join(self.directory, "d", "nodekey")
        self.assertEqual(stat.S_IMODE(os.stat(key).st_mode), 0o600)
        second = self.node("--port", 0, "--datadir", "d")
        self.assertEqual(second.wait_for(r"self=(enode://[0-9a-f]{128})").group(1), identity)
        self.stop(second)
        with open(key, "w", encoding="ascii") as file:
            file.write("not a key\n")
        third = self.node("--port", 0, "--datadir", "d")
        self.assertEqual(third.exit_code(), 1)
        self.assertEqual(third.rest(),
                         "ethnet: d/nodekey is not a node key: expected 64 hex characters")
        with open(key, encoding="ascii") as file:
            self.assertEqual(file.read(), "not a key\n")

    def test_bad_flags_and_files_are_one_clear_line_and_make_nothing(self):
        self.write("bad.json", "{]")
        self.write("bad.rlp", "banana")
        self.write("bad.toml", "port = 1\nprot = 2\n")
        self.write("file", "")
        for arguments, line in (
                (("--port", "banana"), r"ethnet: .*--port.*banana.* \(see --help\)"),
                (("--port", "70000"), r"ethnet: --port: Value 70000 not in range .*"),
                (("--fork-choice", "none"), r"ethnet: .*no fork-choice rule 'none'; there are .*"),
                (("--bootnodes", "x"), r"ethnet: --bootnodes: peer 'x': expected .*"),
                (("--bootnodes", "[::1]:9001"), r"ethnet: peer \[::1\]:9001 cannot be reached .*"),
                (("--addr", "1.2.3"), "ethnet: --addr: '1.2.3': not an IP address"),
                (("--genesis", "missing.json"), "ethnet: cannot read missing.json: No such file .*"),
                (("--genesis", "."), r"ethnet: cannot read \.: it is a directory"),
                (("--genesis", "bad.json"), "ethnet: bad.json: .* at byte .*"),
                (("--import", "missing.rlp"), "ethnet: cannot read missing.rlp: No such file .*"),
                (("--import", "bad.rlp"), "ethnet: bad.rlp: rlp: .*"),
                (("--config", "missing.toml"), "ethnet: cannot read missing.toml.*"),
                (("--config", "bad.toml"), "ethnet: bad.toml:2: no flag 'prot'"),
                (("--no-such-flag", "5"), r"ethnet: unexpected '--no-such-flag' \(see .*\)"),
                (("--bandwidth.up", "16383"), r"ethnet: --bandwidth.up: a rate of 16383 is too small .* least is 16384.*"),
                (("--bandwidth.down", "1M:1k"), r"ethnet: --bandwidth.down: a burst of 1000 is too small .* least is 16384.*"),
                (("--max-upload-target", "999k"), r"ethnet: --max-upload-target: a target of 999000 .* least is 1000000.*"),
                (("--bandwidth.up", "fast"), r"ethnet: --bandwidth.up: 'fast' is no amount of bytes .*"),
                (("--netrestrict", "10.0.0.0/8, 10.0.0.1"), r"ethnet: --netrestrict: '10\.0\.0\.1': a network is ADDRESS/BITS .*"),
                (("--netrestrict", "::/129"), r"ethnet: --netrestrict: '::/129': /BITS is no number from 0 to 32, .*"),
                (("--log.format", "xml"), r"ethnet: .*--log.format.*xml.*")):
            made = "-made" if arguments[0] in ("--bootnodes", "--addr") else ""
            port = () if arguments[0] == "--port" else ("--port", 0)
            address = () if arguments[0] == "--addr" else ("--addr", "127.0.0.1")
            process = self.start("ethnet", "node", "--datadir", f"d{made}", *port, *address, *arguments)
            self.assertEqual(process.exit_code(), 1, arguments)
            self.assertRegex(process.rest(), rf"\A{line}\Z")
        self.assertFalse(os.path.exists(os.path.join(self.directory, "d")))

    def test_kill_9_in_the_middle_of_the_first_start(self):
        """At the moment that each file appears: the directory starts, and a key that was there stays."""
        for i, name in enumerate(("", "LOCK", "FORMAT", "chain/000001.seg", "nodekey")):
            path = os.path.join(self.directory, f"d{i}")
            first = self.node("--port", 0, "--datadir", f"d{i}")
            first.wait_for_file(os.path.join(path, name))
            first.kill()
            key = os.path.join(path, "nodekey")
            before = self.read(key) if os.path.exists(key) else None
            again = self.node("--port", 0, "--datadir", f"d{i}")
            again.wait_for("Started P2P networking")
            self.stop(again)
            after = self.read(key)
            self.assertRegex(after, r"\A[0-9a-f]{64}\n\Z")
            self.assertIn(before, (None, after))

    def test_sigterm_during_the_start_ends_it_with_code_0(self):
        for name in ("LOCK", "nodekey"):
            node = self.node("--port", 0, "--datadir", name)
            node.wait_for_file(os.path.join(self.directory, name, name))
            node.terminate()
            self.assertEqual(node.exit_code(10), 0, node.rest())

    def test_bad_directories_are_one_clear_line(self):
        self.write("file", "")
        process = self.node("--port", 0, "--datadir", "file/d")
        self.assertEqual(process.exit_code(), 1)
        self.assertEqual(process.rest(), "ethnet: cannot make file/d: Not a directory")
        os.mkdir(os.path.join(self.directory, "d"))
        self.write("d/FORMAT", "ethnet-chain 9\n")
        process = self.node("--port", 0, "--datadir", "d")
        self.assertEqual(process.exit_code(), 1)
        self.assertEqual(process.rest(), "ethnet: d/FORMAT: data of another format version")

    def test_the_tools_say_what_is_wrong_in_one_line(self):
        self.write("readable", "1" * 64 + "\n")
        os.chmod(os.path.join(self.directory, "readable"), 0o644)
        self.write("broken.yaml", "name: x\nsteps: x\n")
        self.write("good.yaml", "name: x\nsteps:\n- block: {name: a1, parent: genesis}\n")
        for words, line in (
                ((), r"ethnet: A subcommand is required \(see --help\)"),
                (("banana",), r"ethnet: no sub-command 'banana' \(see ethnet --help\)"),
                (("key", "show", "missing"), "ethnet: cannot read missing: No such file .*"),
                (("key", "show", "readable"), "ethnet: readable has mode 0644: others could read .*"),
                (("key", "new", "readable"), "ethnet: cannot make readable: File exists"),
                (("enr", "decode", "garbage"), "ethnet: not a valid node record: .*"),
                (("enr", "decode", "enr:AAAA"), "ethnet: not a valid node record: .*"),
                (("chain", "inspect", "missing"), "ethnet: cannot read missing: No such file .*"),
                (("chain", "inspect", "."), r"ethnet: cannot read \.: it is a directory"),
                (("lab", "run", "missing"), "ethnet: cannot read missing: No such file .*"),
                (("lab", "run", "broken.yaml"), r"ethnet: broken\.yaml:2:8: expected a list of steps, found 'x'"),
                (("lab", "run", "good.yaml", "--rule", "longest", "--svg", "no/such.svg"),
                 "ethnet: cannot write no/such.svg"),
                (("lab", "run", "good.yaml", "--json", "--dot"), r"ethnet: --json excludes --dot \(see --help\)"),
                (("lab", "run", "good.yaml"), "ethnet: no rule: name one by --rule, or in the scenario"),
                (("lab", "run", "good.yaml", "--rule", "none"), "ethnet: no fork-choice rule 'none'; there are .*"),
                (("lab", "run", "good.yaml", "--rule", "checkpoint:readable"),
                 "ethnet: readable:1: a line that is not 'NUMBER HASH'")):
            process = self.start("ethnet", *words)
            self.assertEqual(process.exit_code(), 1, words)
            self.assertRegex(process.rest(), rf"\A{line}\Z")

    def test_the_laboratory_plays_a_scenario_and_fails_when_it_is_not_met(self):
        folder = os.path.join(os.environ["ETHNET_SOURCE_DIR"], "scenarios", "lab")
        with open(os.path.join(folder, "expected", "withheld-branch.txt"), encoding="utf-8") as file:
            expected = file.read()
        process = self.start("ethnet", "lab", "run", os.path.join(folder, "withheld-branch.yaml"))
        self.assertEqual(process.exit_code(), 0)
        self.assertEqual(process.rest().strip(), expected.strip())
        for flag in ("json", "csv", "dot"):
            with open(os.path.join(folder, "expected", f"withheld-branch.{flag}"), encoding="utf-8") as file:
                expected = file.read()
            process = self.start("ethnet", "lab", "run", os.path.join(folder, "withheld-branch.yaml"), f"--{flag}",
                                 "--svg", "picture.svg")
            self.assertEqual(process.exit_code(), 0)
            self.assertEqual(process.rest().strip(), expected.strip())
        with open(os.path.join(self.directory, "picture.svg"), "rb") as file:
            root = xml.etree.ElementTree.fromstring(file.read())
        self.assertEqual(root.tag, "{http://www.w3.org/2000/svg}svg")
        self.assertIn("withheld-branch", "".join(root.itertext()))
        self.write("unmet.yaml", "name: x\nsteps:\n- block: {name: a1, parent: genesis}\n  expect: {head: genesis}\n")
        process = self.start("ethnet", "lab", "run", "unmet.yaml", "--rule", "longest", "--rule", "random:7")
        self.assertEqual(process.exit_code(), 2)
        text = process.rest()
        self.assertRegex(text, "NOT MET  line 4, step 1, longest-chain: expected head genesis, found a1")
        self.assertRegex(text, "0 met, 2 not met")

    def test_the_head_survives_kill_9(self):
        port = self.free_ports(1)[0]
        node = self.node("--port", port, "--datadir", "d", "--produce", "--period", 1,
                         "--verbosity", 4)
        follower = self.node("--port", 0, "--datadir", "f", "--bootnodes", f"127.0.0.1:{port}",
                             "--verbosity", 4)
        self.assertGreater(follower.next_head()[1], 0)
        follower.next_head()
        node.kill()
        # What it had said or announced was stored before.
        follower_head, follower_height, _ = self.stop(follower)
        said = node.said_height()
        again = self.node("--port", port, "--datadir", "d")
        height = int(again.wait_for(r"Started P2P networking.* height=(\d+)").group(1))
        self.assertGreaterEqual(height, max(said, follower_height, 2))
        # It has the very headers: who has none gets the follower's head from it.
        fresh = self.node("--port", 0, "--datadir", "fresh", "--bootnodes", f"127.0.0.1:{port}",
                          "--verbosity", 4)
        while fresh.next_head()[1] < height:
            pass
        head, _, _ = self.stop(again)
        self.assertEqual(self.stop(fresh)[:2], (head, height))
        if height == follower_height:
            self.assertEqual(head, follower_head)

    def test_atk_10_a_node_without_descriptors_keeps_its_peers_takes_new_ones_and_recovers(self):
        """Peers cost no descriptor; what does, a look-up, fails, is counted, and is tried again."""
        ports = self.free_ports(2)
        producer = self.node("--port", ports[0], "--datadir", "producer", "--produce", "--period", 1)
        # Without discovery: the one that is named must be looked up and dialled, not find us.
        named = self.node("--port", ports[1], "--datadir", "named", "--nodiscover")
        node = self.node("--port", 0, "--datadir", "d", "--verbosity", 4, "--nodiscover",
                         "--bootnodes", f"127.0.0.1:{ports[0]},localhost:{ports[1]}", descriptors=64)
        port = node.wait_for(r"Started P2P networking.* port=(\d+)").group(1)
        for _ in range(2):
            node.wait_for("Session opened")
        node.next_head()
        self.assertLess(node.exhaust_descriptors(), 32)
        began, busy = time.monotonic(), node.cpu_seconds()
        self.stop(named)
        node.wait_for("Session closed")
        newcomer = self.node("--port", 0, "--datadir", "new", "--bootnodes", f"127.0.0.1:{port}",
                             "--verbosity", 4)
        node.wait_for("Session opened.* inbound=true")
        for _ in range(3):
            height = node.next_head()[1]
        while newcomer.next_head()[1] < height:
            pass
        busy, passed = node.cpu_seconds() - busy, time.monotonic() - began
        self.assertLess(busy, 0.2 * passed)
        node.restore_descriptors()
        # It is looked up again: of itself it comes to nobody, though it has met the node before.
        named = self.node("--port", ports[1], "--datadir", "named", "--nodiscover")
        node.wait_for("Session opened.* inbound=false")
        self.stop(node)
        counters = dict(re.findall(r"Counter\s+name=(\S+) value=(\d+)", node.rest()))
        self.assertGreater(int(counters["os.descriptors_exhausted"]), 0)
        self.assertEqual(counters["dialer.look_ups_failed"], counters["os.descriptors_exhausted"])
        self.assertNotIn("store.errors", counters)

    def assert_clean(self, text):
        """No control character but the end of a line, and no byte that is not UTF-8 (read as U+FFFD)."""
        bad = [c for c in text if c != "\n" and (ord(c) < 0x20 or 0x7f <= ord(c) < 0xa0 or c in "\ufffd\u202e\u2028")]
        self.assertEqual(bad, [], ascii(text))

    def test_atk_07_no_output_of_a_program_carries_a_control_character(self):
        """Whatever file names, flags, files and records say."""
        evil = "a\x1b[31m\n\x9b\u202e\x7f" + os.fsdecode(b"\xff\xc0\x9b")
        self.write("evil.toml", 'port = 1\n"por\\u001bt" = 2\n')
        self.write("evil2.toml", "port = 1\nport\x1b = 2\n")
        self.write("evil.json", '{"config": {"chainId": "\x1b"}}')
        for words in (("ethnet", evil), ("ethnet", "node", evil), ("ethnet", "node", f"--{evil}"),
                      ("ethnet", "node", "--port", evil), ("ethnet", "node", "--bootnodes", evil),
                      ("ethnet", "node", "--bootnodes", "enr:" + evil), ("ethnet", "node", "--addr", evil),
                      ("ethnet", "node", "--fork-choice", evil), ("ethnet", "node", "--log.format", evil),
                      ("ethnet", "node", "--config", evil), ("ethnet", "node", "--config", "evil.toml"),
                      ("ethnet", "node", "--config", "evil2.toml"), ("ethnet", "node", "--genesis", "evil.json"),
                      ("ethnet", "node", "--datadir", f"evil.json/{evil}"), ("ethnet", "enr", "decode", evil),
                      ("ethnet", "key", "show", evil), ("ethnet", "chain", "inspect", evil),
                      ("ethnet", "sim", "seed", evil), ("ethnet-sim", "swarm", "--seeds", evil),
                      ("EthNetLite", evil), ("EthNetLite", "9001", evil)):
            process = self.start(*words)
            self.assertNotEqual(process.exit_code(), 0, words)
            self.assertEqual(len(process.rest().splitlines()), 1, process.rest())
            self.assert_clean(process.rest())
        for log_format in ("terminal", "json"):
            node = self.node("--port", 0, "--datadir", evil, "--log.format", log_format, "--verbosity", 5)
            node.wait_for("Started P2P networking")
            node.terminate()
            self.assertEqual(node.exit_code(10), 0)
            self.assert_clean(node.rest())
            if log_format == "json":
                for line in node.rest().splitlines():
                    self.assertIn("msg", json.loads(line))

    def test_the_log_goes_to_the_stream_that_is_named_and_to_no_other(self):
        for name in ("stderr", "stdout"):
            command = [os.path.join(BIN, "ethnet"), "node", "--port", "0", "--datadir", f"{name}.data",
                       "--log.output", name]
            node = subprocess.Popen(command, cwd=self.directory, text=True, stdout=subprocess.PIPE,
                                    stderr=subprocess.PIPE)
            self.addCleanup(node.kill)
            log = getattr(node, name)
            while "Started P2P networking" not in (line := log.readline()):
                self.assertNotEqual(line, "", name)
            node.terminate()
            out, err = node.communicate(timeout=10)
            self.assertEqual(node.returncode, 0)
            self.assertIn("Stopped", out if name == "stdout" else err)
            self.assertEqual(err if name == "stdout" else out, "")

    def test_a_disk_that_does_not_answer_does_not_keep_a_node_from_stopping(self):
        """What was not confirmed was not said, and the next start has what was."""
        hangs = os.path.join(self.directory, "hangs")
        node = self.node("--port", 0, "--datadir", "d", "--produce", "--period", 1, "--verbosity", 4,
                         environment={"LD_PRELOAD": os.path.join(BIN, "libhung_disk.so"),
                                      "ETHNET_TEST_DISK_HANGS": hangs})
        node.next_head()
        self.write("hangs", "")
        node.wait_for_file(f"{hangs}.now")
        began = time.monotonic()
        node.terminate()
        self.assertEqual(node.exit_code(10), 1)
        self.assertGreater(time.monotonic() - began, 5)
        self.assertRegex(node.rest().splitlines()[-1],
                         r"\Aethnet: the header store does not answer: \d+ writes were not confirmed\Z")
        said = node.said_height()
        again = self.node("--port", 0, "--datadir", "d")
        height = int(again.wait_for(r"Started P2P networking.* height=(\d+)").group(1))
        self.assertGreaterEqual(height, said)
        self.stop(again)

@unittest.skipUnless(os.path.isfile(CHAIN), "no test vectors (set ETHNET_VECTORS)")
class RealChain(ProcessTest):
    def node(self, *arguments, **options):
        return self.start("ethnet", "node", "--addr", "127.0.0.1", "--genesis", GENESIS, *arguments,
                          **options)

    def test_inspect_judges_the_real_chain(self):
        process = self.start("ethnet", "chain", "inspect", CHAIN, "--genesis", GENESIS)
        self.assertEqual(process.exit_code(), 0)
        self.assertRegex(process.rest(), r"headers     600\nhead .*height 600\)\nforks       0\n"
                                         r"first error none")

    def kill_and_restart(self, kind, what, points, draw):
        """Kills `points` times after a number of lines drawn at random. Each restart verifies every
        checksum, has all that was said before, and goes on; one that had everything begins anew.
        Returns the heights found at the starts."""
        heights = []
        directory, said = f"{kind}0", 0
        for i in range(points):
            node = self.node("--port", 0, "--datadir", directory, "--verbosity", 5, *what)
            started = node.wait_for(r"Started P2P networking.* height=(\d+)")
            heights.append(int(started.group(1)))
            self.assertGreaterEqual(heights[-1], said)
            lines = draw.randrange(12)  # a node that has it all at its start says nothing more
            for _ in range(lines if heights[-1] < 600 else 0):
                if re.search("height=600|headers done", node.wait_for(".").string):
                    break
            node.kill()
            said = max(said, heights[-1], node.said_height())
            if said == 600:
                self.finish(kind, directory, what, said)
                directory, said = f"{kind}{i + 1}", 0
        self.finish(kind, directory, what, said)
        return heights

    def finish(self, kind, directory, what, said):
        node = self.node("--port", 0, "--datadir", directory, "--verbosity", 4, *what)
        verified = node.wait_for(r"Verified the header store\s.*records=(\d+)")
        height = int(node.wait_for(r"Started P2P networking.* height=(\d+)").group(1))
        self.assertEqual(int(verified.group(1)), height)
        self.assertGreaterEqual(height, said)
        while height < 600:
            height = node.next_head()[1]
        if kind == "importer":
            node.wait_for("Imported a chain file")
        self.assertEqual(self.stop(node)[:2], (head_of_chain(), 600))

    def test_a_full_disk_is_one_clear_line_and_loses_nothing_that_was_said(self):
        """No byte, a part of the first batch, of the second: each leaves a directory that starts."""
        for size, why in ((0, "full/FORMAT: cannot write: File too large"),
                          (100_000, "cannot write the header store: File too large"),
                          (300_000, "cannot write the header store: File too large")):
            node = self.node("--port", 0, "--datadir", "full", "--verbosity", 4, "--import", CHAIN,
                             file_size_limit=size)
            self.assertEqual(node.exit_code(), 1)
            self.assertEqual(node.rest().splitlines()[-1], f"ethnet: {why}")
            self.assertNotIn("Imported", node.rest())
            self.assertEqual(node.said_height() > 0, size == 300_000)
        self.finish("importer", "full", ("--import", CHAIN), node.said_height())

    def test_a_full_disk_during_a_sync_ends_the_node_and_it_goes_on_later(self):
        source = self.node("--port", 0, "--datadir", "source", "--import", CHAIN)
        port = source.wait_for(r" port=(\d+)").group(1)
        source.wait_for("Imported a chain file")
        peer = ("--bootnodes", f"127.0.0.1:{port}")
        node = self.node("--port", 0, "--datadir", "full", "--verbosity", 4, *peer,
                         file_size_limit=300_000)
        self.assertEqual(node.exit_code(), 1)
        self.assertEqual(node.rest().splitlines()[-1],
                         "ethnet: cannot write the header store: File too large")
        self.assertGreater(node.said_height(), 0)
        self.finish("syncer", "full", peer, node.said_height())
        self.stop(source)

    def test_a_terminal_gets_a_bar_and_a_pipe_gets_plain_lines(self):
        for terminal in (False, True):
            node = self.node("--port", 0, "--datadir", f"d{terminal}", "--import", CHAIN,
                             terminal=terminal)
            node.wait_for("Imported a chain file")
            self.stop(node)
            bars = re.findall(r"import \[[#.]+\] +(\d+)% \d+/600 headers", node.rest())
            self.assertEqual(bars[-1], "100")
            self.assertEqual(bars, sorted(bars, key=int))
            self.assertEqual("\r" in node.rest(), terminal, node.rest())
            self.assertEqual(node.rest().count("600/600 headers done"), 1)

    def test_inspect_names_the_offset_of_a_cut_file(self):
        with open(CHAIN, "rb") as file:
            head = file.read(1000)
        with open(os.path.join(self.directory, "cut.rlp"), "wb") as file:
            file.write(head)
        process = self.start("ethnet", "chain", "inspect", "cut.rlp", "--genesis", GENESIS)
        self.assertEqual(process.exit_code(), 1)
        self.assertRegex(process.rest(), r"headers     1\nhead .*height 1\)\nforks       0\n"
                                         r"first error rlp: .* at byte \d+\Z")
        process = self.start("ethnet", "chain", "inspect", CHAIN)
        self.assertEqual(process.exit_code(), 1)
        self.assertIn("first error the first block does not link to the genesis", process.rest())

    def test_another_genesis_is_one_clear_line(self):
        node = self.node("--port", 0, "--datadir", "d", "--import", CHAIN)
        node.wait_for("Imported a chain file")
        self.stop(node)
        other = self.start("ethnet", "node", "--port", 0, "--datadir", "d")
        self.assertEqual(other.exit_code(), 1)
        self.assertRegex(other.rest(), r"\Aethnet: d: stored headers do not fit the genesis of this "
                                       r"node \(.*\)\Z")

    def test_sigterm_during_an_import_ends_it_and_the_next_start_goes_on(self):
        node = self.node("--port", 0, "--datadir", "d", "--verbosity", 4, "--import", CHAIN)
        node.next_head()
        _, height, _ = self.stop(node)
        self.assertGreaterEqual(height, node.said_height())
        self.finish("importer", "d", ("--import", CHAIN), height)

    def test_kill_9_at_random_points_of_an_import(self):
        heights = self.kill_and_restart("importer", ("--import", CHAIN), 20, random.Random(7))
        self.assertTrue(any(0 < height < 600 for height in heights), heights)

    def test_kill_9_at_random_points_of_a_sync(self):
        source = self.node("--port", 0, "--datadir", "source", "--import", CHAIN)
        port = source.wait_for(r" port=(\d+)").group(1)
        source.wait_for("Imported a chain file")
        heights = self.kill_and_restart("syncer", ("--bootnodes", f"127.0.0.1:{port}"), 20,
                                        random.Random(7))
        self.assertTrue(any(0 < height < 600 for height in heights), heights)
        self.stop(source)


if __name__ == "__main__":
    unittest.main()
