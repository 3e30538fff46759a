"""`ethnet discv5` and `ethnet discv4` as their user types them, against nodes of their own on loopback."""

import json
import re
import sys
import unittest

sys.dont_write_bytecode = True
from discovery_support import DiscoveryTest  # noqa: E402


class Discv(DiscoveryTest):
    def test_discv5_pings_asks_and_talks(self):
        node, record, _ = self.listen("discv5", "--talk", "echo")
        about = self.record_fields(record)
        told = self.ask("discv5", "ping", record)
        self.assertIn(about["id"], told)
        self.assertRegex(told, rf"record +{about['sequence']}\n")
        self.assertRegex(told, r"sees us at +127\.0\.0\.1:\d+\n")
        self.assertEqual(self.ask("discv5", "requestenr", record), record)
        self.assertEqual(self.ask("discv5", "talk", record, "echo", "c0ffee"), "c0ffee")
        self.assertEqual(self.ask("discv5", "talk", record, "nobody", "00", status=1),
                         "ethnet: the node does not speak 'nobody'")
        node.wait_for(r"^talk +0x[0-9a-f]{64} +127\.0\.0\.1:\d+ +3 bytes$")
        self.stop(node)

    def test_discv5_finds_a_node_through_another(self):
        boot, boot_record, _ = self.listen("discv5")
        node, record, _ = self.listen("discv5", "--bootnodes", boot_record)
        about = self.record_fields(record)
        boot.wait_for(rf"^node +{about['id']} ")
        self.until(lambda: self.ask("discv5", "lookup", "--bootnodes", boot_record, "--target", about["id"][2:]),
                   lambda found: found.split("\n")[0] == record)
        self.assertEqual(self.ask("discv5", "resolve", record, "--bootnodes", boot_record), record)
        self.stop(node)
        self.assertEqual(self.ask("discv5", "ping", record, status=1), "ethnet: the node does not answer")
        self.stop(boot)

    def test_discv5_resolve_gives_a_newer_record_than_it_is_given(self):
        self.write_key()
        boot, boot_record, _ = self.listen("discv5")
        node, record, _ = self.listen("discv5", "--key", "key", "--bootnodes", boot_record)
        about = self.record_fields(record)
        boot.wait_for(rf"^node +{about['id']} ")
        unused = self.free_ports(1)[0]
        where_it_is = ("--ip", "127.0.0.1", "--udp", about["udp"])
        where_it_was = ("--ip", "127.0.0.1", "--udp", unused)
        for place in (where_it_is, where_it_was, ()):
            older = self.ask("enr", "make", "--key", "key", "--seq", "1", *place)
            self.assertEqual(self.record_fields(older)["id"], about["id"])
            self.assertEqual(self.ask("discv5", "resolve", older, "--bootnodes", boot_record), record, place)
        self.stop(node, boot)

    def test_a_node_that_answers_without_its_record_is_an_error(self):
        peer = self.start("nameless_peer")
        record = peer.wait_for(r"^(enr:\S+)$").group(1)
        self.assertIn(self.record_fields(record)["id"], self.ask("discv5", "ping", record))
        self.assertEqual(self.ask("discv5", "requestenr", record, status=1),
                         "ethnet: the node answers, but not with its own record")
        self.stop(peer)

    def test_discv4_pings_asks_and_finds(self):
        boot, boot_record, boot_enode = self.listen("discv4")
        node, record, enode = self.listen("discv4", "--bootnodes", boot_enode)
        self.assertIn(self.record_fields(record)["id"], self.ask("discv4", "ping", enode))
        self.assertRegex(self.ask("discv4", "ping", record), r"sees us at +127\.0\.0\.1:\d+\n")
        self.assertEqual(self.ask("discv4", "requestenr", enode), record)
        boot.wait_for(rf"^node +{self.record_fields(record)['id']} ")
        self.until(lambda: self.ask("discv4", "lookup", "--bootnodes", boot_enode, "--target", enode),
                   lambda found: found.split("\n")[0] == enode)
        self.assertEqual(self.ask("discv4", "resolve", enode, "--bootnodes", boot_record), enode)
        self.stop(node)
        self.assertEqual(self.ask("discv4", "ping", enode, status=1), "ethnet: the node does not answer")
        self.stop(boot)

    def test_nodes_of_one_chain_meet_through_a_boot_node_of_the_network(self):
        self.write("other.json", json.dumps({"config": {"chainId": 4242}, "difficulty": "0x1", "gasLimit": "0x1c9c380",
                                             "timestamp": "0x1", "alloc": {}}))
        boot, record, _ = self.listen("discv5")
        one, one_http = self.node("one", "--bootnodes", record)
        two, two_http = self.node("two", "--bootnodes", record)
        three, three_http = self.node("three", "--bootnodes", record, "--genesis", "other.json")
        for node in (one, two):
            node.wait_for(r"Session opened .*peer=")
        self.until(lambda: self.metric(three_http, "ethnet_udp_discovery_nodes_of_other_forks_total"),
                   lambda seen: seen >= 1)
        for http in (one_http, two_http):
            self.until(lambda: self.metric(http, "p2p_peers"), lambda peers: peers == 1)
        self.assertEqual(self.metric(three_http, "p2p_peers"), 0)
        boot.wait_for(r"^node +0x")
        self.stop(one)
        self.stop(two)
        self.stop(three)
        self.stop(boot)

    def test_a_key_that_is_given_is_the_nodes_own(self):
        self.write_key()
        node, record, _ = self.listen("discv5", "--key", "key")
        self.assertEqual(self.record_fields(record)["id"],
                         re.search(r"node id +(0x\S+)", self.ask("key", "show", "key")).group(1))
        self.stop(node)

    def test_what_cannot_be_asked_is_one_clear_line(self):
        self.write_key()
        nowhere = self.ask("enr", "make", "--key", "key")
        node, record, enode = self.listen("discv4")
        self.stop(node)
        for words, why in (
                (("discv5", "ping", "enr:abc"), "NODE enr:abc: not a valid node record: "),
                (("discv5", "ping", nowhere), f"NODE {nowhere[:24]}…: the record names no address and UDP port to ask at"),
                (("discv5", "lookup", "--bootnodes", f"{record},{nowhere}"),
                 f"--bootnodes {nowhere[:24]}…: the record names no address and UDP port to ask at"),
                (("discv4", "listen", "--bootnodes", nowhere), f"--bootnodes {nowhere[:24]}…: the record names no address"),
                (("discv5", "ping", enode), f"NODE {enode[:24]}…: discv5 needs a node record"),
                (("discv5", "resolve", nowhere), "--bootnodes: with whom to begin?"),
                (("node", "--bootnodes", nowhere), f"--bootnodes: peer '{nowhere[:24]}…': the record has no address with a quic port"),
                (("discv5", "lookup"), "--bootnodes: with whom to begin?"),
                (("discv5", "lookup", "--target", "12"), "'12' is no node id: 64 hexadecimal digits"),
                (("discv5", "listen", "--addr", "here"), "--addr: 'here'"),
                (("discv4", "ping", "enode://12"), "NODE enode://12: "),
                (("discv4", "lookup", "--target", "12"), "'12' is no public key: 128 hexadecimal digits"),
                (("discv5", "talk", nowhere, "p", "xy"), f"NODE {nowhere[:24]}…: the record names no address")):
            told = self.ask(*words, status=1)
            self.assertTrue(told.startswith(f"ethnet: {why}"), told)
            self.assertEqual(len(told.splitlines()), 1, told)


if __name__ == "__main__":
    unittest.main()
