"""What a node says of itself, in its log, its record and over HTTP: whoever takes it at its word reaches it."""

import os
import socket
import sys
import unittest

sys.dont_write_bytecode = True
from discovery_support import DiscoveryTest  # noqa: E402

V4 = ("--nodiscover", "--discovery.v4")
V5 = ("--nodiscover", "--discovery.v5")


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as attempt:
            attempt.bind(("::1", 0))
        return True
    except OSError:
        return False


class OwnNames(DiscoveryTest):
    def started(self, name, *words, address="127.0.0.1", port=0, discv=V5):
        """A node, its URL as its log says it, and its port over HTTP."""
        node = self.start("ethnet", "node", "--addr", address, "--port", port, "--datadir", name, *discv, *words)
        url = node.wait_for(r"Started P2P networking.*self\W+(enode:[^\s\"]+)").group(1)
        return node, url, int(node.wait_for(r"Answering over HTTP.* port=(\d+)").group(1))

    def own_record(self, http):
        return self.record_fields(self.node_info(http)["enr"])

    def test_the_url_in_the_log_of_a_node_leads_to_its_discovery_and_to_its_sessions(self):
        first, url, http = self.started("first", discv=V4)
        info = self.node_info(http)
        self.assertEqual(info["enode"], url)
        self.assertRegex(url, rf"@127\.0\.0\.1:{info['ports']['listener']}\?discport={info['ports']['discovery']}$")
        self.assertNotEqual(info["ports"]["listener"], info["ports"]["discovery"])
        self.assertIn("0x" + info["id"], self.ask("discv4", "ping", url))
        # By discv4 alone: who dials the URL's port for sessions has one of its own making.
        second, _, second_http = self.started("second", "--bootnodes", url, discv=V4)
        second.wait_for(r"Session opened .*peer=")
        self.until(lambda: self.metrics(second_http), lambda told: told["ethnet_discv4_members"] >= 1)
        self.assertEqual(self.metric(second_http, "ethnet_discv4_contacts_failed_total"), 0)
        # And who speaks neither takes it for a peer.
        third, _, _ = self.started("third", "--bootnodes", url, discv=("--nodiscover",))
        third.wait_for(r"Session opened .*peer=")
        self.stop(first, second, third)

    def test_the_url_of_a_node_without_discv4_and_discv5_names_its_one_port(self):
        first, url, http = self.started("first", discv=())
        port = self.node_info(http)["ports"]
        self.assertEqual(port["listener"], port["discovery"])
        self.assertRegex(url, rf"@127\.0\.0\.1:{port['listener']}$")
        second, _, _ = self.started("second", "--bootnodes", url, discv=())
        second.wait_for(r"Session opened .*peer=")
        self.stop(first, second)

    @unittest.skipUnless(has_ipv6(), "this machine has no IPv6")
    def test_over_ipv6_the_record_and_the_url_of_a_node_name_a_boot_node(self):
        for version in ("v4", "v5"):
            discv = ("--nodiscover", f"--discovery.{version}")
            first, url, http = self.started(f"first-{version}", address="::1", discv=discv)
            record = self.node_info(http)["enr"]
            fields = self.record_fields(record)
            self.assertEqual(fields["ip6"], "::1")
            self.assertTrue(url.split("@")[1].startswith("[::1]:"), url)
            self.assertIn(self.node_info(http)["id"], self.ask(f"disc{version}", "ping", url if version == "v4" else record,
                                                               "--addr", "[::1]:0"))
            for name in (record, url) if version == "v4" else (record,):
                second, _, second_http = self.started(f"second-{len(self.processes)}", "--bootnodes", name, address="::1", discv=discv)
                second.wait_for(r"Session opened .*peer=")
                self.until(lambda: self.metric(second_http, "ethnet_udp_discovery_table"), lambda size: size >= 1)  # noqa: B023
                self.stop(second)
            self.stop(first)

    def test_an_address_that_the_operator_gives_stands_in_the_record_and_without_one_nobody_is_asked(self):
        given, url, http = self.started("given", "--nat", "extip:60.1.1.13")
        fields = self.own_record(http)
        self.assertEqual(fields["ip"], "60.1.1.13")
        ports = self.node_info(http)["ports"]
        self.assertEqual((int(fields["quic"]), int(fields["udp"])), (ports["listener"], ports["discovery"]))
        # Others reach it there, this machine where it listens.
        self.assertIn(f"@60.1.1.13:{ports['listener']}?discport={ports['discovery']}", self.node_info(http)["enode"])
        self.assertIn("@127.0.0.1:", url)
        none, _, none_http = self.started("none", "--nat", "none")
        self.assertEqual(self.own_record(none_http)["ip"], "127.0.0.1")
        self.stop(given, none)
        self.assertNotRegex(none.rest(), r"gateway|STUN|as others reach us")

    def test_discovery_has_the_port_that_is_given_and_2000_above_the_nodes_otherwise(self):
        port, other = self.free_ports(2)
        beside, _, http = self.started("beside", port=port)
        self.assertEqual(int(self.own_record(http)["udp"]), port + 2_000)
        self.assertEqual(int(self.own_record(http)["quic"]), port)
        self.assertIn(self.node_info(http)["id"], self.ask("discv5", "ping", self.node_info(http)["enr"]))
        self.stop(beside)
        given, _, http = self.started("given", "--discovery.port", other, port=port)
        self.assertEqual(int(self.own_record(http)["udp"]), other)
        self.assertIn(self.node_info(http)["id"], self.ask("discv5", "ping", self.node_info(http)["enr"]))
        self.stop(given)

    def test_after_a_restart_its_record_is_the_same_and_has_a_higher_number_where_it_says_another_thing(self):
        port, other = self.free_ports(2)

        def life(*words, ends=self.stop):
            node, _, http = self.started("node", *words, port=port)
            record = self.node_info(http)["enr"]
            ends(node)
            return node, record

        _, first = life(ends=lambda node: node.kill())
        self.assertEqual(life()[1], first)
        _, moved = life("--discovery.port", other)
        number = int(self.record_fields(moved)["sequence"])
        self.assertGreater(number, int(self.record_fields(first)["sequence"]))
        self.assertEqual(self.read(os.path.join(self.directory, "node", "own-record")), moved + "\n")
        # Signed by another key: a file that was copied from elsewhere.
        _, _, http = self.started("stranger")
        strange = self.node_info(http)["enr"]
        for text in (strange + "\n", moved[:-1] + "\n", "x" * 2_000):
            self.write(os.path.join("node", "own-record"), text)
            node, record = life("--discovery.port", other)
            self.assertRegex(node.rest(), r"WARN.* (Our record of the last run was not read|The file of our own record)")
            self.assertGreaterEqual(int(self.record_fields(record)["sequence"]), number)

    def test_mainnet_is_its_genesis_and_its_fork_id_and_nobody_there_is_asked(self):
        """Everything of it that would ask somebody is switched off, and loopback alone is allowed."""
        node, _, http = self.started("node", "--network", "mainnet", "--netrestrict", "127.0.0.0/8", "--bootnodes", "",
                                     "--discovery.dns", "", discv=("--nodiscover", "--discovery.v5"))
        info = self.node_info(http)
        chain = info["protocols"]["mini-sync"]
        self.assertEqual(chain["genesis"], "0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3")
        self.assertEqual((chain["network"], chain["number"]), (1, 0))
        # EIP-2124's own example: unsynced, next fork at 1150000.
        fork = self.record_fields(info["enr"])["eth"]
        self.assertIn("0xfc64ec04", fork)
        self.assertIn("1150000", fork)
        self.assertIn("0xfc64ec04", self.ask("forkid", "--network", "mainnet", "--head", "0", "--time", "0"))
        told = self.metrics(http)
        self.assertEqual((told["ethnet_node_netrestrict_datagrams_out_total"], told["ethnet_node_netrestrict_dials_total"],
                          told["ethnet_discv5_calls_total"]), (0, 0, 0))
        self.assertFalse([name for name in told if name.startswith("ethnet_dns_")])
        self.stop(node)


if __name__ == "__main__":
    unittest.main()
