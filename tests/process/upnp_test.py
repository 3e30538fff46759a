"""`--nat upnp`: a gateway on loopback maps a node's ports, and what it does wrong is said."""

import socket
import struct
import sys
import threading
import unittest

sys.dont_write_bytecode = True
from answerer import Answerer, is_release, is_request, pmp_answer  # noqa: E402
from discovery_support import DiscoveryTest  # noqa: E402
from support import DEADLINE_SECONDS  # noqa: E402
from upnp_gateway import UpnpGateway  # noqa: E402


class Upnp(DiscoveryTest):
    def setUp(self):
        super().setUp()
        self.gateway = UpnpGateway()
        self.addCleanup(self.gateway.close)

    def mapped(self, how):
        """A node, and what its record says once the gateway has mapped its ports."""
        node, http = self.node("node", "--nat", how, discv=("--nodiscover", "--discovery.v5"))
        node.wait_for(r"Our address, as others reach us .*address=60\.1\.1\.11:")
        fields = self.until(lambda: self.record_fields(self.node_info(http)["enr"]), lambda told: told["ip"] == "60.1.1.11")
        return node, int(fields["quic"]), int(fields["udp"])

    def test_a_gateway_that_is_found_maps_our_ports_and_gets_them_back(self):
        node, sessions, discovery = self.mapped("upnp")
        self.assertEqual({port: told[0] for port, told in self.gateway.mappings.items()}, {sessions: sessions, discovery: discovery})
        self.assertEqual({told[1] for told in self.gateway.mappings.values()}, {1_200})
        self.stop(node)
        self.assertEqual(sorted(self.gateway.given_back), sorted([sessions, discovery]))
        self.assertEqual(self.gateway.mappings, {})

    def test_a_gateway_that_is_named_and_knows_no_leases_maps_for_good(self):
        self.gateway.only_permanent = True
        node, sessions, discovery = self.mapped(f"upnp:{self.gateway.url}")
        self.assertEqual(self.gateway.mappings, {sessions: (sessions, 0), discovery: (discovery, 0)})
        self.stop(node)
        self.assertEqual(self.gateway.mappings, {})

    def test_a_gateway_that_fails_to_take_a_mapping_back_is_asked_again(self):
        self.gateway.only_permanent = True
        node, sessions, discovery = self.mapped(f"upnp:{self.gateway.url}")
        self.gateway.keeps = 3
        self.stop(node)
        self.assertEqual(sorted(self.gateway.given_back), sorted([sessions, discovery]))
        self.assertEqual(self.gateway.mappings, {})

    def test_what_another_gateway_does_not_know_is_taken_out_of_ours(self):
        self.gateway.only_permanent = True
        node, sessions, discovery = self.mapped(f"upnp:{self.gateway.url}")
        self.gateway.keeps = 3
        self.gateway.move()
        self.stop(node)
        self.assertEqual(sorted(self.gateway.given_back), sorted([sessions, discovery]))
        self.assertEqual(self.gateway.mappings, {})

    def test_a_mapping_that_is_another_hosts_by_now_stays(self):
        node, sessions, discovery = self.mapped("upnp")
        self.assertEqual(set(self.gateway.clients), {sessions, discovery})
        self.gateway.clients[sessions] = "127.0.0.9"
        self.stop(node)
        self.assertEqual(self.gateway.given_back, [discovery])
        self.assertEqual(set(self.gateway.mappings), {sessions})

    def test_a_mapping_to_another_port_of_this_host_stays(self):
        node, sessions, discovery = self.mapped("upnp")
        self.gateway.mappings[discovery] = (discovery + 1, 1_200)
        self.stop(node)
        self.assertEqual(self.gateway.given_back, [sessions])
        self.assertEqual(set(self.gateway.mappings), {discovery})

    def test_where_a_port_is_another_hosts_ours_is_mapped_to_another(self):
        self.gateway.takes_same = True
        node, sessions, discovery = self.mapped("upnp")
        self.assertEqual(set(self.gateway.mappings), {sessions, discovery})
        for external, (internal, _) in self.gateway.mappings.items():
            self.assertNotEqual(external, internal)
        self.stop(node)
        self.assertEqual(self.gateway.mappings, {})

    def test_of_upnp_and_nat_pmp_the_first_that_maps_wins_and_the_other_takes_its_mappings_back(self):
        silent = Answerer(lambda question: None)
        self.addCleanup(silent.close)
        node, sessions, discovery = self.mapped(f"any:127.0.0.1:{silent.port}")
        self.assertRegex("\n".join(node.seen), r"Of the gateways this one was first .*by=UPnP")
        self.assertTrue(silent.asked)
        self.assertEqual(set(self.gateway.mappings), {sessions, discovery})
        self.stop(node)
        self.assertEqual(self.gateway.mappings, {})
        self.assertNotRegex(node.rest(), "WARN.*gateway")

        self.gateway.hold.clear()  # it has been found, and says nothing more for now
        quick = Answerer(pmp_answer)
        self.addCleanup(quick.close)
        node, http = self.node("other", "--nat", f"any:127.0.0.1:{quick.port}", discv=("--nodiscover", "--discovery.v5"))
        node.wait_for(r"Of the gateways this one was first .*by=NAT-PMP")
        node.wait_for(r"Our address, as others reach us .*address=60\.1\.1\.9:")
        self.gateway.hold.set()
        self.until(lambda: self.record_fields(self.node_info(http)["enr"])["ip"], lambda ip: ip == "60.1.1.9")
        self.stop(node)
        # UPnP had asked for one mapping at the most, which is given back; it asks for no more.
        self.until(lambda: self.gateway.mappings, lambda left: left == {})
        self.assertLessEqual(len(self.gateway.given_back), 3)
        self.until(lambda: quick.asked, lambda asked: sum(is_release(one) for one in asked) == 2)
        self.assertEqual(sum(is_request(one) for one in quick.asked), 2)

    def test_any_by_itself_finds_a_gateway_and_from_loopback_asks_none_elsewhere(self):
        node, sessions, discovery = self.mapped("any")
        self.assertEqual(set(self.gateway.mappings), {sessions, discovery})
        self.stop(node)
        self.assertEqual(self.gateway.mappings, {})

    def test_where_no_gateway_answers_any_says_so_and_the_address_is_what_peers_see(self):
        self.gateway.refuses = 606
        refusing = Answerer(lambda question: bytes([0, 128 + question[1], 0, 2, 0, 0, 0, 1]))
        self.addCleanup(refusing.close)
        node, http = self.node("node", "--nat", f"any:127.0.0.1:{refusing.port}", discv=("--nodiscover", "--discovery.v5"))
        node.wait_for(r"WARN.* The gateway gives no mapping ")
        self.assertEqual(self.record_fields(self.node_info(http)["enr"])["ip"], "127.0.0.1")
        self.stop(node)
        self.assertEqual(node.rest().count("The gateway gives no mapping"), 1, "once all have failed")

    def refusal(self, why, how="upnp"):
        node, _ = self.node("node", "--nat", how, discv=("--nodiscover", "--discovery.v5"))
        node.wait_for(rf"WARN.* The gateway gives no mapping .*why=.*{why}")
        self.stop(node)

    def test_a_gateway_that_refuses_is_said(self):
        self.gateway.refuses = 606
        self.refusal("606")

    def test_a_gateway_behind_another_one_is_said(self):
        self.gateway.external = "192.168.7.7"
        self.refusal("not connected, or itself behind another one")

    def test_what_is_no_gateway_is_said(self):
        self.gateway.description = "<root>" + "<a>" * 10_000
        self.refusal("no gateway", f"upnp:{self.gateway.url}")


    def test_a_gateway_that_closes_at_once_ends_nothing(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.settimeout(DEADLINE_SECONDS)
            node, http = self.node("node", "--nat", f"upnp:http://127.0.0.1:{server.getsockname()[1]}/x", discv=("--nodiscover", "--discovery.v5"))
            connection, _ = server.accept()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()
            node.wait_for(r"WARN.* The gateway gives no mapping ")
            self.assertTrue(self.node_info(http)["enr"])
            self.stop(node)

    def test_a_gateway_that_never_ends_its_answer_does_not_keep_a_node_from_stopping(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.settimeout(DEADLINE_SECONDS)
            node, _ = self.node("node", "--nat", f"upnp:http://127.0.0.1:{server.getsockname()[1]}/x", discv=("--nodiscover", "--discovery.v5"))
            connection, _ = server.accept()
            done = threading.Event()

            def drip():
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
                while not done.wait(1):
                    try:
                        connection.sendall(b"<")
                    except OSError:
                        return

            dripping = threading.Thread(target=drip)
            dripping.start()
            self.addCleanup(lambda: (done.set(), dripping.join(), connection.close()))
            self.stop(node)


if __name__ == "__main__":
    unittest.main()
