"""What an operator says of discovery: `--netrestrict`, `--discovery.dns`, `--network`, and the nodes of the run before."""

import json
import os
import re
import struct
import sys
import unittest

sys.dont_write_bytecode = True
from answerer import Answerer, is_release, pmp_answer  # noqa: E402
from discovery_support import DiscoveryTest  # noqa: E402
from name_server import NameServer  # noqa: E402

DOMAIN = "nodes.example.org"
NO_NETWORK = ("--netrestrict", "127.0.0.0/8", "--bootnodes", "", "--discovery.dns", "")


def stun_success(question, transaction=None):
    """RFC 5389: 60.1.1.7:4242 in XOR-MAPPED-ADDRESS."""
    cookie = 0x2112A442
    address = struct.pack(">HHBBHI", 0x0020, 8, 0, 1, 4242 ^ (cookie >> 16), 0x3C010107 ^ cookie)
    return struct.pack(">HHI", 0x0101, len(address), cookie) + (transaction or question[8:20]) + address


def stun_of_another_transaction(question):
    return stun_success(question, bytes(12))


def stun_refusal(question):
    return struct.pack(">HHI", 0x0111, 0, 0x2112A442) + question[8:20]


# What a node counts of discv-lite, of Ethereum's networks and of lists in the DNS, where it speaks them.
DISCOVERIES = ("ethnet_discovery_", "ethnet_udp_discovery_", "ethnet_discv4_", "ethnet_discv5_", "ethnet_dns_")


class Operator(DiscoveryTest):
    def publish(self, server, records, key="tree-key", domain=DOMAIN):
        """A tree of these records, signed by a key that is made where it is missing; its URL."""
        os.makedirs(os.path.join(self.directory, "tree"), exist_ok=True)
        if not os.path.exists(os.path.join(self.directory, key)):
            self.write(key, os.urandom(32).hex() + "\n")
            os.chmod(os.path.join(self.directory, key), 0o600)
        nodes = {self.record_fields(record)["id"][2:]: {"record": record, "seq": int(self.record_fields(record)["sequence"])} for record in records}
        self.write(os.path.join("tree", "nodes.json"), json.dumps(nodes))
        self.ask("dns", "sign", "tree", "--key", key, "--domain", domain)
        server.publish(json.loads(self.ask("dns", "to-zone", "tree", "--json")))
        with open(os.path.join(self.directory, "tree", "enrtree-info.json"), encoding="utf-8") as file:
            return json.load(file)["url"]

    def test_a_node_has_to_do_with_the_networks_alone_that_it_is_told(self):
        boot, record, _ = self.listen("discv5")
        one, one_http = self.node("one", "--bootnodes", record, "--netrestrict", "127.0.0.1/32, ::1/128")
        far, far_http = self.node("far", "--bootnodes", record, address="127.0.0.2")
        two, two_http = self.node("two", "--bootnodes", record)
        one.wait_for(r"Session opened .*peer=")
        # Whom it does not let in would have found it, as it found the other.
        far.wait_for(r"Session opened .*peer=")
        self.until(lambda: self.metric(one_http, "ethnet_node_netrestrict_datagrams_in_total"), lambda n: n > 0)
        self.until(lambda: self.metric(one_http, "ethnet_udp_discovery_netrestrict_records_total"), lambda n: n > 0)
        self.assertEqual(self.metric(one_http, "p2p_peers"), 1)
        self.assertEqual(self.metric(far_http, "p2p_peers"), 1)
        self.assertEqual(self.metric(two_http, "p2p_peers"), 2)
        for node in (one, two, far, boot):
            self.stop(node)

    def test_nodes_that_a_list_in_the_dns_names_become_peers(self):
        server = NameServer()
        self.addCleanup(server.close)
        named, named_http = self.node("named", discv=("--nodiscover", "--discovery.v5"))
        self.write("other.json", json.dumps({"config": {"chainId": 4242}, "difficulty": "0x1", "gasLimit": "0x1c9c380",
                                             "timestamp": "0x1", "alloc": {}}))
        other, other_http = self.node("other", "--genesis", "other.json", discv=("--nodiscover", "--discovery.v5"))
        url = self.publish(server, [self.node_info(http)["enr"] for http in (named_http, other_http)])
        one, one_http = self.node("one", "--discovery.dns", url, "--discovery.dns-server", server.address, discv=("--nodiscover",))
        one.wait_for(r"A list of nodes in the DNS .*sequence=1\b")
        one.wait_for(r"Session opened .*peer=")
        self.until(lambda: self.metrics(one_http), lambda told: told["ethnet_dns_nodes_of_other_forks_total"] >= 1)
        told = self.metrics(one_http)
        self.assertEqual(told["p2p_peers"], 1)
        self.assertGreaterEqual(told["ethnet_peers_dials_dns_total"], 1)
        self.assertGreaterEqual(told["ethnet_dns_nodes_dialable_total"], 1)
        self.assertEqual(told["ethnet_dns_roots_total"], 1)
        self.assertEqual(self.metric(other_http, "p2p_peers"), 0)
        # Its own record says which chain it is on, so that it can stand in a list too.
        self.assertIn("eth", self.record_fields(self.node_info(one_http)["enr"]))
        for node in (one, named, other):
            self.stop(node)

    def test_a_list_of_another_key_is_refused_and_said(self):
        server = NameServer()
        self.addCleanup(server.close)
        named, named_http = self.node("named", discv=("--nodiscover", "--discovery.v5"))
        record = self.node_info(named_http)["enr"]
        expected = self.publish(server, [record], key="right-key")
        self.publish(server, [record], key="wrong-key")
        one, one_http = self.node("one", "--discovery.dns", expected, "--discovery.dns-server", server.address, discv=("--nodiscover",))
        one.wait_for(r"WARN.* A list of nodes in the DNS cannot be used .*why=.*not signed by the key")
        self.until(lambda: self.metrics(one_http), lambda told: told["ethnet_dns_refused_total"] >= 1)
        told = self.metrics(one_http)
        self.assertEqual((told["ethnet_dns_records_total"], told["p2p_peers"]), (0, 0))
        self.stop(one)
        self.stop(named)

    def test_a_list_that_goes_back_is_refused_in_the_next_run_too(self):
        server = NameServer()
        self.addCleanup(server.close)
        named, named_http = self.node("named", discv=("--nodiscover", "--discovery.v5"))
        record = self.node_info(named_http)["enr"]
        url = self.publish(server, [record])
        old = server.texts
        _, other, _ = self.listen("discv5")
        self.publish(server, [record, other])
        words = ("--discovery.dns", url, "--discovery.dns-server", server.address)
        one, _ = self.node("one", *words, discv=("--nodiscover",))
        one.wait_for(r"A list of nodes in the DNS .*sequence=2\b")
        self.stop(one)
        server.texts = old
        again, http = self.node("one", *words, discv=("--nodiscover",))
        again.wait_for(r"WARN.* A list of nodes in the DNS cannot be used .*why=.*lower sequence number")
        self.assertEqual(self.metrics(http)["ethnet_dns_roots_total"], 0)
        self.stop(again)
        self.stop(named)

    def test_a_network_is_a_chain_with_its_forks(self):
        """Nothing of the network itself is asked: no boot nodes, no list, and loopback alone."""
        boot, record, _ = self.listen("discv5")
        told = self.ask("forkid", "--network", "sepolia", "--head", "0", "--time", "1633267481")
        fork_hash = re.search(r"hash (0x\w+)", told).group(1)
        words = ("--network", "sepolia", "--netrestrict", "127.0.0.0/8", "--bootnodes", record, "--discovery.dns", "")
        one, one_http = self.node("one", *words, discv=())
        two, _ = self.node("two", *words, discv=())
        # A chain of their own: the built-in one is not theirs.
        other, other_http = self.node("other", "--bootnodes", record)
        one.wait_for(r"Session opened .*peer=")
        two.wait_for(r"Session opened .*peer=")
        info = self.node_info(one_http)
        self.assertIn("0x25a5cc106eea7138acab33231d7160d69cb777ee0c2c553fcddf5138993e6dd9", json.dumps(info))
        self.assertIn(fork_hash, self.record_fields(info["enr"])["eth"])
        self.until(lambda: self.metrics(other_http),
                   lambda seen: seen["ethnet_udp_discovery_nodes_of_other_forks_total"] >= 1)
        seen = self.metrics(one_http)
        self.assertEqual(seen["p2p_peers"], 1)
        self.assertEqual((seen["ethnet_node_netrestrict_datagrams_out_total"], seen["ethnet_node_netrestrict_dials_total"]),
                         (0, 0))
        for node in (one, two, other, boot):
            self.stop(node)

    def test_the_list_of_a_network_is_asked_for_unless_another_is_named(self):
        server = NameServer()
        self.addCleanup(server.close)
        node, http = self.node("node", "--network", "hoodi", "--netrestrict", "127.0.0.0/8", "--bootnodes", "",
                               "--discovery.dns-server", server.address, discv=())
        node.wait_for(r"A list of nodes in the DNS cannot be used .*all\.hoodi\.ethdisco\.net")
        self.assertIn("all.hoodi.ethdisco.net", server.asked)
        self.assertEqual(self.metric(http, "ethnet_node_netrestrict_datagrams_out_total"), 0)
        self.stop(node)

    def test_without_discovery_nobody_is_asked_but_by_name(self):
        """--nodiscover beside a network, whose boot nodes and list in the DNS would be asked otherwise."""
        words = ("--network", "hoodi", "--netrestrict", "127.0.0.0/8", "--nodiscover")
        silent, silent_http = self.node("silent", *words, discv=())
        self.assertFalse([name for name in self.metrics(silent_http) if name.startswith(DISCOVERIES)])
        by_name, by_name_http = self.node("by-name", *words, "--discovery.v5", discv=())
        counted = self.metrics(by_name_http)
        self.assertIn("ethnet_discv5_calls_total", counted)
        self.assertFalse([name for name in counted if name.startswith(("ethnet_discovery_", "ethnet_discv4_", "ethnet_dns_"))])
        self.stop(silent)
        self.stop(by_name)

    def test_what_contradicts_a_network_is_one_clear_line(self):
        self.write("genesis.json", "{}")
        for words, why in (
                (("--network", "ropsten"), r"ethnet: .*--network.*ropsten.*"),
                (("--network", "sepolia", "--genesis", "genesis.json"),
                 "ethnet: --network sepolia: it has a genesis, and --genesis names another"),
                (("--network", "sepolia", "--produce"),
                 "ethnet: --network sepolia: its headers are not made by whoever likes: no --produce"),
                (("--nodiscover", "--discovery.port", "9000"),
                 "ethnet: --nodiscover: --discovery.port is for --discovery.v5 or --discovery.v4, and neither is asked for"),
                (("--discovery.dns", "enrtree://x"), r"ethnet: --discovery.dns: 'enrtree://x': .*enrtree://KEY@DOMAIN.*"),
                (("--discovery.dns-server", "here"), r"ethnet: --discovery.dns-server: 'here': expected ADDRESS:PORT .*")):
            process = self.start("ethnet", "node", "--datadir", "d", "--addr", "127.0.0.1", "--port", 0, *NO_NETWORK[:2], *words)
            self.assertEqual(process.exit_code(), 1, words)
            self.assertRegex(process.rest(), rf"\A{why}\Z")
        self.assertFalse(os.path.exists(os.path.join(self.directory, "d")))

    def test_nodes_find_each_other_again_without_the_boot_node_that_they_met_by(self):
        ports = dict(zip(("one", "two"), self.free_ports(2), strict=True))
        for version in ("v5", "v4"):
            names = {name: f"{name}-{version}" for name in ports}

            def life(*words, version=version, names=names):
                return [self.node(names[name], *words, port=port, discv=("--nodiscover", f"--discovery.{version}"))
                        for name, port in ports.items()]

            boot, record, enode = self.listen(f"disc{version}")
            first = life("--bootnodes", record if version == "v5" else enode)
            for node, _ in first:
                node.wait_for(r"Session opened .*peer=")
            for name in names.values():
                path = os.path.join(self.directory, name, "udp-nodes")
                self.until(lambda: os.path.exists(path) and os.path.getsize(path), lambda size: size > 200)
            self.stop(boot)
            for node, _ in first:
                self.stop(node)
            second = life()
            for node, _ in second:
                node.wait_for(r"Session opened .*peer=")
            for node, _ in second:  # not before the other has told of the session too
                self.stop(node)

    def test_a_stun_server_tells_our_address_and_one_that_lies_does_not(self):
        for answer, expected in ((stun_success, "60.1.1.7"), (stun_of_another_transaction, None)):
            server = Answerer(answer)
            self.addCleanup(server.close)
            node, http = self.node(f"node-{expected}", "--nat", f"stun:127.0.0.1:{server.port}", discv=("--nodiscover", "--discovery.v5"))
            if expected is None:
                self.until(lambda: server.asked, lambda asked: len(asked) >= 3)
                self.assertEqual(self.record_fields(self.node_info(http)["enr"])["ip"], "127.0.0.1")
            else:
                node.wait_for(r"INFO.* Our address as the STUN server sees it .*ip=60\.1\.1\.7")
                node.wait_for(r"Our address, as others reach us .*address=60\.1\.1\.7:\d+")
                # What is told over HTTP is of a second ago at most.
                self.until(lambda: self.record_fields(self.node_info(http)["enr"])["ip"], lambda ip: ip == expected)
            self.stop(node)

    def test_a_stun_server_that_has_moved_is_found_by_its_name(self):
        names = NameServer()
        self.addCleanup(names.close)
        names.addresses["stun.example.org"] = "127.0.0.1"
        old = Answerer(stun_refusal)
        self.addCleanup(old.close)
        new = Answerer(stun_success, "127.0.0.2", old.port)
        self.addCleanup(new.close)
        node, _ = self.node("node", "--nat", f"stun:stun.example.org:{old.port}", "--discovery.dns-server", names.address,
                            discv=("--nodiscover", "--discovery.v5"))
        node.wait_for(r"WARN.* The STUN server does not tell our address .*why=.*the server refuses.* again_s=5")
        names.addresses["stun.example.org"] = "127.0.0.2"
        node.wait_for(rf"INFO.* Our address as the STUN server sees it .*ip=60\.1\.1\.7 .*server=stun.example.org:{old.port} again_s=600")
        node.wait_for(r"Our address, as others reach us .*address=60\.1\.1\.7:\d+")
        self.stop(node)

    def test_a_gateway_maps_our_ports_and_gets_them_back(self):
        gateway = Answerer(pmp_answer)
        self.addCleanup(gateway.close)
        node, http = self.node("node", "--nat", f"pmp:127.0.0.1:{gateway.port}", discv=("--nodiscover", "--discovery.v5"))
        node.wait_for(rf"INFO.* The gateway has mapped our ports .*ip=60\.1\.1\.9 port=40000 discovery_port=40001 gateway=127\.0\.0\.1:{gateway.port} lifetime_s=7200")
        node.wait_for(r"Our address, as others reach us .*address=60\.1\.1\.9:40000")
        fields = self.until(lambda: self.record_fields(self.node_info(http)["enr"]), lambda told: told["ip"] == "60.1.1.9")
        self.assertEqual((fields["quic"], fields["udp"]), ("40000", "40001"))
        self.stop(node)
        self.until(lambda: gateway.asked, lambda asked: sum(is_release(one) for one in asked) == 2)

    def test_a_gateway_that_refuses_is_said(self):
        gateway = Answerer(lambda question: bytes([0, 128 + question[1], 0, 2, 0, 0, 0, 1]))
        self.addCleanup(gateway.close)
        node, _ = self.node("node", "--nat", f"pmp:127.0.0.1:{gateway.port}", discv=("--nodiscover", "--discovery.v5"))
        node.wait_for(r"WARN.* The gateway gives no mapping .*why=.*does not allow it")
        self.stop(node)


if __name__ == "__main__":
    unittest.main()
