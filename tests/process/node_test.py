"""Whole processes: what a user types, and what must hold whatever happens to them."""

import os
import random
import stat
import sys
import unittest

sys.path.insert(0, os.path.dirname(__file__))
from support import ProcessTest  # noqa: E402

VECTORS = os.environ.get(
    "ETHNET_VECTORS", os.path.join(os.environ["ETHNET_SOURCE_DIR"], "..", "shared", "vectors"))
CHAIN = os.path.join(VECTORS, "chain_amsterdam", "chain.rlp")
GENESIS = os.path.join(VECTORS, "chain_amsterdam", "genesis.json")


class ShortForm(ProcessTest):
    def three_terminals(self, order):
        """The three literal commands in one directory, started in this order."""
        ports = self.free_ports(3)
        commands = [("EthNetLite", ports[0]),
                    ("EthNetLite", ports[1], f"127.0.0.1:{ports[0]}"),
                    ("EthNetLite", ports[2], f"127.0.0.1:{ports[0]}")]
        nodes = {i: self.start(*commands[i]) for i in order}
        for i in (1, 2):
            nodes[i].wait_for("Session opened", 30)
        nodes[0].wait_for("Session opened", 30)
        nodes[0].wait_for("Session opened", 30)
        # The producer stops first: what it had announced is what the others must have.
        head, height, _ = self.stop(nodes[0])
        for i in (1, 2):
            nodes[i].wait_for("Session closed")
            self.assertEqual(self.stop(nodes[i])[:2], (head, height))

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
    def node(self, *arguments):
        return self.start("ethnet", "node", "--addr", "127.0.0.1", *arguments)

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

    def test_bad_flags_and_files_are_one_clear_line(self):
        for arguments in (("--port", "banana"), ("--fork-choice", "none"), ("--bootnodes", "x"),
                          ("--genesis", "missing.json"), ("--no-such-flag",),
                          ("--log.format", "xml")):
            process = self.node("--datadir", "d", *arguments)
            self.assertEqual(process.exit_code(), 1, arguments)
            self.assertRegex(process.rest(), r"\Aethnet: .+\Z")

    def test_the_head_survives_kill_9(self):
        ports = self.free_ports(1)
        node = self.node("--port", ports[0], "--datadir", "d", "--produce", "--period", 1)
        follower = self.node("--port", 0, "--datadir", "f", "--bootnodes", f"127.0.0.1:{ports[0]}")
        follower.wait_for("Session opened")
        node.kill()
        follower.wait_for("Session closed")
        _, height, _ = self.stop(follower)
        again = self.node("--port", ports[0], "--datadir", "d")
        started = again.wait_for(r"Started P2P networking.* height=(\d+)")
        self.assertGreaterEqual(int(started.group(1)), height)
        self.stop(again)


@unittest.skipUnless(os.path.isfile(CHAIN), "no test vectors (set ETHNET_VECTORS)")
class RealChain(ProcessTest):
    def node(self, *arguments):
        return self.start("ethnet", "node", "--addr", "127.0.0.1", "--genesis", GENESIS, *arguments)

    def test_inspect_judges_the_real_chain(self):
        process = self.start("ethnet", "chain", "inspect", CHAIN, "--genesis", GENESIS)
        self.assertEqual(process.exit_code(), 0)
        self.assertRegex(process.rest(), r"headers     600\nhead .*height 600\)\nforks       0\n"
                                         r"first error none")

    def test_kill_9_at_random_points_of_an_import_and_a_sync(self):
        """Twenty kills; every restart verifies its checksums and goes on to the whole chain."""
        draw = random.Random(7)
        source = self.node("--port", 0, "--datadir", "source", "--import", CHAIN)
        port = source.wait_for(r" port=(\d+)").group(1)
        source.wait_for("Imported a chain file")
        for i in range(20):
            importing = i % 2 == 0
            directory = "importer" if importing else "syncer"
            what = ("--import", CHAIN) if importing else ("--bootnodes", f"127.0.0.1:{port}")
            node = self.node("--port", 0, "--datadir", directory, "--verbosity", 5, *what)
            node.wait_for("Started P2P networking")
            # A random number of lines further on, or at once: between two system calls somewhere.
            if draw.random() < 0.7:
                node.wait_for("Session opened|Imported a chain file|sync")
            node.kill()
        for directory, what in (("importer", ("--import", CHAIN)),
                                ("syncer", ("--bootnodes", f"127.0.0.1:{port}"))):
            node = self.node("--port", 0, "--datadir", directory, *what)
            started = node.wait_for(r"Started P2P networking.* height=(\d+)")
            if directory == "importer":
                node.wait_for("Imported a chain file")
            elif int(started.group(1)) < 576:
                node.wait_for("headers done")
            self.stop(node)
        source.terminate()


if __name__ == "__main__":
    unittest.main()
