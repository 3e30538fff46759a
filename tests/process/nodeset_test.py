"""`ethnet nodeset`, `ethnet enr` and `ethnet forkid`, on a set of nodes that go-ethereum wrote and on the fork ids that it announces."""

import json
import os
import re
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(__file__))
from support import BIN, ProcessTest  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
# 20 nodes at 192.0.2.0 to .19, numbered by that: of 0 to 7 the fork id is mainnet's, of 8 to 11 Sepolia's; each fourth
# has no TCP port, each third serves snap; node n has 3n points and was heard of for n hours.
NODES = os.path.join(HERE, "geth_tree", "nodes.json")
VECTORS = os.environ.get("ETHNET_VECTORS", os.path.join(HERE, "..", "..", "..", "shared", "vectors"))


class NodeSet(ProcessTest):
    def tool(self, *command, given=None):
        return subprocess.run([os.path.join(BIN, "ethnet"), *command], input=given, capture_output=True, text=True,
                              timeout=self.PATIENCE_SECONDS)

    def filtered(self, *arguments):
        """The numbers of the nodes that are left."""
        done = self.tool("nodeset", "filter", NODES, *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(NODES, encoding="utf-8") as file:
            all_nodes = json.load(file)
        out = json.loads(done.stdout)
        for name, node in out.items():
            self.assertEqual(node, all_nodes[name])
        return sorted(node["seq"] - 1 for node in out.values())

    def test_filters_are_met_all_and_what_is_left_stays_as_it_was(self):
        everybody = list(range(20))
        self.assertEqual(self.filtered(), everybody)
        self.assertEqual(self.filtered("--eth-network", "mainnet"), everybody[:8])
        self.assertEqual(self.filtered("--eth-network", "sepolia"), everybody[8:12])
        self.assertEqual(self.filtered("--eth-network", "hoodi"), [])
        self.assertEqual(self.filtered("--snap"), everybody[::3])
        self.assertEqual(self.filtered("--dialable"), [n for n in everybody if n % 4 != 3])
        self.assertEqual(self.filtered("--ip", "192.0.2.8/29"), everybody[8:16])
        self.assertEqual(self.filtered("--ip", "::/0"), [])
        self.assertEqual(self.filtered("--min-age", "36000"), everybody[10:])
        self.assertEqual(self.filtered("--limit", "3"), everybody[17:])
        self.assertEqual(self.filtered("--eth-network", "mainnet", "--dialable", "--snap", "--limit", "1"), [6])

    def test_info_counts_what_the_records_have(self):
        done = self.tool("nodeset", "info", NODES)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.split(), ["nodes", "20", "eth", "12", "id", "20", "ip", "20", "secp256k1", "20",
                                               "snap", "7", "tcp", "15", "udp", "20"])

    def test_what_filter_prints_it_reads_from_standard_input(self):
        first = self.tool("nodeset", "filter", NODES, "--limit", "4")
        again = self.tool("nodeset", "filter", "-", given=first.stdout)
        self.assertEqual((again.returncode, again.stdout), (0, first.stdout))

    def test_a_record_is_made_and_shown_with_all_that_it_says(self):
        key = os.path.join(self.directory, "key")
        self.assertEqual(self.tool("key", "new", key).returncode, 0)
        made = self.tool("enr", "make", "--key", key, "--ip", "192.0.2.7", "--port", "9001", "--udp", "11001", "--tcp", "30303",
                         "--seq", "5")
        self.assertEqual(made.returncode, 0, made.stderr)
        shown = self.tool("enr", "decode", made.stdout.strip())
        identity = re.search(r"node id +(\S+)", self.tool("key", "show", key).stdout).group(1)
        self.assertEqual([line.split() for line in shown.stdout.splitlines()][:7],
                         [["node", "id", identity], ["sequence", "5"], ["signature", "valid"], ["ip", "192.0.2.7"],
                          ["quic", "9001"], ["tcp", "30303"], ["udp", "11001"]])
        with open(NODES, encoding="utf-8") as file:
            theirs = json.load(file)
        shown = [self.tool("enr", "decode", node["record"]).stdout for node in theirs.values() if node["seq"] in (1, 20)]
        self.assertEqual(sum("eth         0x9f3d2254/1746612311\nip " in text for text in shown), 1)
        self.assertEqual(sum("snap        0xc0\n" in text for text in shown), 1)

    def test_a_record_is_made_with_both_families_its_fork_and_snap(self):
        key = os.path.join(self.directory, "key")
        self.assertEqual(self.tool("key", "new", key).returncode, 0)
        ports = ("--quic", "9001", "--udp", "11001", "--tcp", "30303", "--quic6", "9006", "--udp6", "11006", "--tcp6", "30306")
        made = self.tool("enr", "make", "--key", key, "--ip", "192.0.2.7", "--ip6", "2001:db8::7", *ports, "--snap",
                         "--eth", "0x9f3d2254/1746612311")
        self.assertEqual(made.returncode, 0, made.stderr)
        shown = self.tool("enr", "decode", made.stdout.strip())
        self.assertEqual([tuple(line.split()) for line in shown.stdout.splitlines()][3:-1],
                         [("eth", "0x9f3d2254/1746612311"), ("ip", "192.0.2.7"), ("ip6", "2001:db8::7"), ("quic", "9001"),
                          ("quic6", "9006"), ("snap", "0xc0"), ("tcp", "30303"), ("tcp6", "30306"), ("udp", "11001"),
                          ("udp6", "11006")])
        for network, head, fork_id in (("mainnet", (), "0xfc64ec04/1150000"),
                                       ("mainnet", ("--head", "15049999"), "0x20c327fc/15050000"),
                                       ("hoodi", ("--head", "1", "--time", "1742999832"), "0x0929e24e/1761677592")):
            made = self.tool("enr", "make", "--key", key, "--network", network, *head)
            self.assertIn(f"eth         {fork_id}\n", self.tool("enr", "decode", made.stdout.strip()).stdout)
        # Of IPv6 alone, as before.
        made = self.tool("enr", "make", "--key", key, "--ip", "2001:db8::7", "--udp6", "11006")
        self.assertRegex(self.tool("enr", "decode", made.stdout.strip()).stdout, r"ip6 +2001:db8::7\nudp6 +11006\n")

    def test_what_no_record_says_is_one_clear_line(self):
        key = os.path.join(self.directory, "key")
        self.assertEqual(self.tool("key", "new", key).returncode, 0)
        for words, message in ((("--ip", "here"), "--ip: 'here' is not an address"),
                               (("--ip6", "192.0.2.7"), "--ip6: '192.0.2.7' is an IPv4 address"),
                               (("--ip", "2001:db8::7", "--ip6", "2001:db8::8"), "both name an IPv6 address"),
                               (("--eth", "9f3d2254/0"), "is no fork id"), (("--eth", "0x9f3d2254"), "is no fork id"),
                               (("--eth", "0x9f3d22/0"), "is no fork id"), (("--eth", "0x9f3d2254/x"), "is no fork id"),
                               (("--network", "none"), "--network: 'none' is none"),
                               (("--network", "hoodi", "--eth", "0x9f3d2254/0"), "excludes"),
                               (("--head", "5"), "requires"), (("--udp6", "70000"), "--udp6")):
            done = self.tool("enr", "make", "--key", key, *words)
            self.assertEqual((done.returncode, done.stdout), (1, ""), words)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
            self.assertTrue(done.stderr.startswith("ethnet: ") and message in done.stderr, done.stderr)

    def test_forkid_says_what_a_node_announces(self):
        known = [("mainnet", 0, 0, "0xfc64ec04", "1150000"), ("mainnet", 15_049_999, 0, "0x20c327fc", "15050000"),
                 ("hoodi", 1, 1_742_999_832, "0x0929e24e", "1761677592")]
        if os.path.isdir(VECTORS):
            with open(os.path.join(VECTORS, "forkid", "creation.json"), encoding="utf-8") as file:
                cases = json.load(file)["cases"]
            known += [(c["network"], c["head"], c["time"], c["hash"], c["next"]) for c in cases[::8]]
        for network, head, time, fork_hash, following in known:
            done = self.tool("forkid", "--network", network, "--head", str(head), "--time", str(time))
            self.assertEqual((done.returncode, done.stdout), (0, f"hash {fork_hash}\nnext {following}\n"))

    def test_forkid_of_a_chain_of_ones_own(self):
        forks = ("homestead", "eip150", "eip155", "eip158", "byzantium", "constantinople", "petersburg", "istanbul")
        config = {f"{fork}Block": 0 for fork in forks} | {"chainId": 7, "berlinBlock": 5}
        genesis = {"config": config, "gasLimit": "0x1c9c380", "difficulty": "0x1", "alloc": {}}
        self.write("genesis.json", json.dumps(genesis))
        path = os.path.join(self.directory, "genesis.json")
        before = self.tool("forkid", "--genesis", path, "--head", "4")
        after = self.tool("forkid", "--genesis", path, "--head", "5")
        self.assertRegex(before.stdout, r"\Ahash 0x[0-9a-f]{8}\nnext 5\n\Z")
        self.assertRegex(after.stdout, r"\Ahash 0x[0-9a-f]{8}\nnext 0\n\Z")
        self.assertNotEqual(before.stdout.split()[1], after.stdout.split()[1])

    def test_errors_are_one_clear_line(self):
        self.write("list.json", "[]")
        self.write("text.json", "nodes")
        listed, text = (os.path.join(self.directory, name) for name in ("list.json", "text.json"))
        for command, message in ((("forkid",), "of which chain?"), (("forkid", "--network", "none"), "no network 'none'"),
                                 (("forkid", "--genesis", "none.json"), "cannot read none.json"),
                                 (("nodeset", "info", "none.json"), "cannot read none.json"),
                                 (("nodeset", "info", listed), "not a set of nodes"),
                                 (("nodeset", "info", text), "not JSON"),
                                 (("nodeset", "filter", NODES, "--ip", "192.0.2.0"), "expected ADDRESS/BITS"),
                                 (("nodeset", "filter", NODES, "--ip", "192.0.2.0/33"), "expected ADDRESS/BITS"),
                                 (("nodeset", "filter", NODES, "--eth-network", "x"), "no network 'x'")):
            done = self.tool(*command)
            self.assertEqual((done.returncode, done.stdout, len(done.stderr.splitlines())), (1, "", 1), done.stderr)
            self.assertTrue(done.stderr.startswith("ethnet: ") and message in done.stderr, done.stderr)


if __name__ == "__main__":
    unittest.main()
