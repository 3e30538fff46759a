"""What changes a running node: `ethnet das`, `ethnet peer`, `ethnet stop` and `ethnet lab why`, over its Unix socket."""

import json
import os
import random
import stat
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(__file__))
from support import BIN, DEADLINE_SECONDS, ProcessTest  # noqa: E402


class Control(ProcessTest):
    def node(self, datadir, *arguments):
        node = self.start("ethnet", "node", "--addr", "127.0.0.1", "--port", 0, "--datadir", datadir, "--verbosity", 4,
                          "--http=false", "--grpc=false", *arguments)
        found = node.wait_for(r"Started P2P networking.*self\W+(enode:[^\s\"]+)")
        return node, found.group(1)

    def ethnet(self, *words, status=0):
        """What it prints."""
        command = self.start("ethnet", *words)
        text = command.rest()
        self.assertEqual(command.exit_code(), status, text)
        return text

    def ask(self, *words, status=0):
        return json.loads(self.ethnet(*words, "--json", status=status))

    def file_of(self, size):
        path = os.path.join(self.directory, "data")
        with open(path, "wb") as file:
            file.write(random.Random(1).randbytes(size))
        return path

    def contents(self, path):
        with open(os.path.join(self.directory, path), "rb") as file:
            return file.read()

    def test_what_one_node_publishes_the_other_samples_and_fetches(self):
        first, enode = self.node("a")
        second, _ = self.node("b", "--bootnodes", enode, "--das.sample", "off")
        second.wait_for("Session opened")
        path = self.file_of(200_000)
        told = self.ethnet("das", "publish", path, "--datadir", "a", "--chunk-size", 4096)
        data_id = told.split()[2]
        self.assertRegex(told, r"^data id  0x[0-9a-f]{64}\nchunks   49 of 4096 bytes, 200000 bytes in all$")
        # The announcement is on its way.
        verdict = self.until(lambda: self.start("ethnet", "das", "sample", data_id, "--k", 6, "--datadir", "b").rest(),
                             lambda text: "is known" not in text)
        self.assertRegex(verdict, r"(?m)^received=6 requested=6 confidence=1\.000\nsuch a result is seen with probability 0\.\d+ ")
        self.assertEqual(self.ask("das", "get", data_id, "-o", "copy", "--datadir", "b"),
                         {"file": "copy", "total_bytes": 200_000})
        self.assertEqual(self.contents("copy"), self.contents("data"))
        raw = subprocess.run([os.path.join(BIN, "ethnet"), "das", "get", data_id, "-o", "-", "--datadir", "b"], check=True,
                             cwd=self.directory, stdout=subprocess.PIPE, timeout=DEADLINE_SECONDS).stdout
        self.assertEqual(raw, self.contents("data"), "the data alone")
        # Once more, from what the node holds by now; and where it cannot be had nothing is written.
        self.assertRegex(self.ethnet("das", "get", data_id, "-o", "again", "--datadir", "b"), "again: 200000 bytes$")
        self.ethnet("das", "get", "0x" + "00" * 32, "-o", "nothing", "--datadir", "b", status=1)
        self.assertEqual([name for name in os.listdir(self.directory) if name.startswith("nothing")], [])
        for node in (first, second):
            self.stop(node)

    def test_peers_come_and_go_by_command(self):
        first, enode = self.node("a")
        second, _ = self.node("b", "--nodiscover")
        self.assertEqual(self.ask("peer", "add", enode, "--datadir", "b"), {"added": True})
        second.wait_for("Session opened")
        self.assertEqual(self.ethnet("peer", "add", enode, "--datadir", "b"), "it is dialled already")
        self.assertEqual(self.ask("peer", "remove", enode, "--datadir", "b"), {"removed": True})
        first.wait_for(r"Session closed.* by_peer=true")
        self.assertEqual(self.ethnet("peer", "remove", enode, "--datadir", "b", status=1), "there is no such peer")
        for node in (first, second):
            self.stop(node)

    def test_a_node_says_why_a_block_is_canonical_or_not(self):
        node, _ = self.node("a", "--produce", "--produce-forks", "--period", 1, "--log.format", "json")
        reorg = node.wait_for(r"\[REORG\] fork_point=(0x\w+) .*removed=\[(0x\w+).*added=\[.*?(0x\w+)\]")
        fork_point, removed, added = reorg.groups()
        self.assertRegex(self.ethnet("lab", "why", added, "--datadir", "a"),
                         rf"^{added} at height \d+ is canonical\nthe rule longest-chain chose the head\n\*")
        side = self.ask("lab", "why", removed, "--datadir", "a", status=2)
        self.assertEqual((side["standing"], side["fork_point"]["hash"]), ("side", fork_point))
        self.assertTrue(all(int(rival["score"]) < int(side["head"]["score"]) for rival in side["rivals"]), side)
        self.assertRegex(self.ethnet("lab", "why", "0x" + "11" * 32, "--datadir", "a", status=2), "is not known here")
        self.ethnet("stop", "--datadir", "a")
        self.assertEqual(node.exit_code(10), 0, node.rest())

    def test_only_its_owner_reaches_it_and_it_ends_by_command(self):
        node, _ = self.node("a")
        socket = os.path.join(self.directory, "a", "ethnet.ipc")
        self.assertEqual(stat.S_IMODE(os.stat(socket).st_mode), 0o600)
        self.assertEqual(self.ethnet("stop", "--datadir", "a"), "")
        self.assertEqual(node.exit_code(10), 0, node.rest())
        self.assertFalse(os.path.exists(socket))
        self.assertEqual(self.ethnet("stop", "--datadir", "a", status=1),
                         "ethnet: no node answers at a/ethnet.ipc: is it running, and is this its data directory?")

    def test_a_node_that_was_killed_leaves_a_socket_that_the_next_one_takes_over(self):
        node, _ = self.node("a")
        node.kill()
        self.assertTrue(os.path.exists(os.path.join(self.directory, "a", "ethnet.ipc")))
        node, _ = self.node("a")
        self.ethnet("stop", "--datadir", "a")
        self.assertEqual(node.exit_code(10), 0, node.rest())

    def test_errors_are_one_clear_line(self):
        node, _ = self.node("a")
        for words, said in (
                (("peer", "add", "nonsense"), r"peer 'nonsense': expected enr:…, enode://… or HOST:PORT"),
                (("das", "sample", "0x12"), r"data id '0x12': .+"),
                (("das", "sample", "0x" + "00" * 32), r"no such data set is known"),
                (("das", "sample", "0x" + "00" * 32, "--k", 257), r"--k: .+ not in range .+"),
                (("das", "publish", "none"), r"cannot read none: .+|none: .+"),
                (("das", "get", "0x" + "00" * 32, "-o", "no/such/folder"), r"--output: cannot write no/such/folder: No such file or directory"),
                (("das", "get", "0x" + "00" * 32, "-o", ""), r"--output: no file is named: the path is empty \(see --help\)"),
                (("lab", "why", "latest"), r"block 'latest': .+")):
            with self.subTest(words=words):
                self.assertRegex(self.ethnet(*words, "--datadir", "a", status=1), rf"^ethnet: ({said})$")
        self.stop(node)


if __name__ == "__main__":
    unittest.main()
