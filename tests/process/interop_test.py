"""Our discv5 and discv4 beside implementations of other people (tests/interop), in both directions, on loopback.

ETHNET_SUITES: how often go-ethereum's conformance suites run in a row (1).
"""

import os
import re
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
from discovery_support import DiscoveryTest  # noqa: E402
from interop_peers import DEVP2P, GETH, Peer, needs_geth, needs_npm, node_js  # noqa: E402
from support import DEADLINE_SECONDS  # noqa: E402

SUITES = int(os.environ.get("ETHNET_SUITES", "1"))


class Interop(DiscoveryTest):
    def id_of(self, record):
        return self.record_fields(record)["id"].removeprefix("0x")

    def both_ways_by_discv5(self, command):
        theirs = Peer(self, command)
        node, ours, _ = self.listen("discv5", "--talk", "ethnet-test")
        # We ask them.
        self.assertIn(self.id_of(theirs.record), self.ask("discv5", "ping", theirs.record))
        self.assertEqual(self.ask("discv5", "requestenr", theirs.record), theirs.record)
        self.assertEqual(self.ask("discv5", "talk", theirs.record, "ethnet-test", b"hi".hex()), b"heard hi".hex())
        # They ask us.
        self.assertEqual(theirs.ask("ping", ours), {"pong": True})
        self.assertEqual(theirs.ask("record", ours), {"record": ours})
        self.assertEqual(theirs.ask("talk", ours, b"hi".hex()), {"response": b"hi".hex()})
        # Each finds, through the other, somebody whom it has never heard of.
        third, hidden, _ = self.listen("discv5", "--bootnodes", theirs.record)
        self.until(lambda: theirs.ask("lookup", self.id_of(hidden)), lambda told: hidden in told["nodes"])
        self.until(lambda: self.ask("discv5", "lookup", "--bootnodes", theirs.record, "--target", self.id_of(hidden)),
                   lambda found: found.split("\n")[0] == hidden)
        fourth = Peer(self, [*command, ours])
        fourth.ask("lookup", self.id_of(hidden))  # some turn to their boot nodes only when they look for somebody
        node.wait_for(rf"^node +0x{self.id_of(fourth.record)} ")
        self.until(lambda: self.ask("discv5", "lookup", "--bootnodes", ours, "--target", self.id_of(fourth.record)),
                   lambda found: fourth.record in found.split("\n"))
        self.stop(node, third)

    @needs_geth()
    def test_discv5_with_go_ethereum(self):
        self.both_ways_by_discv5([GETH, "v5"])

    @needs_npm("chainsafe")
    def test_discv5_with_chainsafe(self):
        self.both_ways_by_discv5(node_js("chainsafe"))

    @needs_geth()
    def test_discv4_with_go_ethereum(self):
        theirs = Peer(self, [GETH, "v4"])
        node, ours, enode = self.listen("discv4")
        self.assertIn(self.id_of(theirs.record), self.ask("discv4", "ping", theirs.record))
        self.assertEqual(self.ask("discv4", "requestenr", theirs.record), theirs.record)
        self.assertEqual(theirs.ask("ping", ours), {"pong": True})
        self.assertEqual(theirs.ask("record", ours), {"record": ours})
        third, hidden, hidden_enode = self.listen("discv4", "--bootnodes", theirs.record)
        key = re.match(r"enode://([0-9a-f]{128})@", hidden_enode).group(1)
        self.until(lambda: theirs.ask("lookup", key), lambda told: any(key in url for url in told["urls"]))
        self.until(lambda: self.ask("discv4", "lookup", "--bootnodes", theirs.record, "--target", key),
                   lambda found: key in found.split("\n")[0])
        fourth = Peer(self, [GETH, "v4", ours])
        node.wait_for(rf"^node +0x{self.id_of(fourth.record)} ")
        self.until(lambda: self.ask("discv4", "resolve", fourth.record, "--bootnodes", enode),
                   lambda found: fourth.about["enode"].split("@")[0] in found)
        self.stop(node, third)

    @needs_npm("ethereumjs")
    def test_discv4_with_ethereumjs(self):
        theirs = Peer(self, node_js("ethereumjs"))
        node, ours, enode = self.listen("discv4")
        self.assertIn("sees us at", self.ask("discv4", "ping", theirs.about["enode"]))
        self.assertEqual(theirs.ask("ping", enode), {"pong": True})
        third, _, hidden = self.listen("discv4", "--bootnodes", enode)
        node.wait_for(r"^node +0x")
        self.until(lambda: theirs.ask("ask", enode)["nodes"],
                   lambda known: any(hidden.split("@")[0] in one for one in known))
        self.stop(node, third)

    def suite(self, version, remote):
        done = subprocess.run([DEVP2P, version, "test", "--listen1", "127.0.0.1", "--listen2", "127.0.0.2", *remote],
                              capture_output=True, text=True, timeout=DEADLINE_SECONDS * 2)
        return done.stdout + done.stderr

    @needs_geth()
    def test_go_ethereums_suite_of_discv4(self):
        for _ in range(SUITES):
            node, _, enode = self.listen("discv4")
            self.assertIn("15/15 tests passed", self.suite("discv4", ["--remote", enode]))
            self.stop(node)

    @needs_geth()
    def test_go_ethereums_suite_of_discv5(self):
        for _ in range(SUITES):
            node, record, _ = self.listen("discv5")
            self.assertIn("10/10 tests passed", self.suite("discv5", [record]))
            self.stop(node)

    @needs_geth()
    def test_go_ethereums_suites_of_both_on_the_port_that_they_share(self):
        for run in range(SUITES):
            node, http = self.node(f"both-{run}")
            record = self.node_info(http)["enr"]
            self.assertIn("15/15 tests passed", self.suite("discv4", ["--remote", record]))
            self.assertIn("10/10 tests passed", self.suite("discv5", [record]))
            self.stop(node)


if __name__ == "__main__":
    unittest.main()
