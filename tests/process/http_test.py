"""The HTTP listener of a real node, asked over plain sockets."""

import json
import os
import re
import socket
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(__file__))
from support import ProcessTest, WebSocket  # noqa: E402

SECONDS = 30


class Http(ProcessTest):
    def node(self, *arguments):
        """A node that answers, and its HTTP port."""
        node = self.start("ethnet", "node", "--addr", "127.0.0.1", "--port", 0, "--verbosity", 4,
                          *(() if "--datadir" in arguments else ("--datadir", "d")), *arguments)
        return node, int(node.wait_for(r"Answering over HTTP.* port=(\d+)").group(1))

    def connect(self, port):
        connection = socket.create_connection(("127.0.0.1", port), SECONDS)
        self.addCleanup(connection.close)
        return connection

    @staticmethod
    def until_closed(connection):
        got = b""
        try:
            while True:
                more = connection.recv(65536)
                if not more:
                    return got
                got += more
        except ConnectionResetError:
            return got

    def ask(self, port, head, body=b""):
        """(status, header, body) of the answer to one request."""
        connection = self.connect(port)
        connection.sendall(head.replace("\n", "\r\n").encode() + b"Connection: close\r\n\r\n" + body)
        answer = self.until_closed(connection)
        header, _, text = answer.decode().partition("\r\n\r\n")
        return int(header.split(" ")[1]), header, text

    def get(self, port, path, host="localhost"):
        return self.ask(port, f"GET {path} HTTP/1.1\nHost: {host}\n")

    def metric(self, port, series):
        _, _, page = self.get(port, "/metrics")
        found = re.search(rf"^{re.escape(series)} (\d+)$", page, re.M)
        self.assertIsNotNone(found, page)
        return int(found.group(1))

    def test_metrics_health_and_ready_answer(self):
        node, port = self.node("--produce", "--period", 1)
        node.next_head()
        for path in ("/metrics", "/debug/metrics/prometheus"):
            status, header, page = self.get(port, path)
            self.assertEqual(status, 200)
            self.assertIn("Content-Type: text/plain; version=0.0.4", header)
            self.assertIn("# TYPE chain_head_header gauge\n", page)
            self.assertIn("# TYPE ethnet_udp_datagrams_in_total counter\n", page)
            self.assertIn("# TYPE ethnet_udp_bytes_in_total counter\n", page)
            self.assertNotIn("no text yet", page)
        self.assertEqual(self.get(port, "/health")[0], 200)
        self.assertEqual(self.get(port, "/ready")[0], 200)
        self.assertEqual(self.get(port, "/none")[0], 404)
        self.stop(node)
        with self.assertRaises(OSError):
            self.connect(port)

    def call_answer(self, port, method, params):
        body = json.dumps({"jsonrpc": "2.0", "id": 5, "method": method, "params": params}).encode()
        status, _, answer = self.ask(port, "POST / HTTP/1.1\nHost: localhost\nContent-Type: application/json\n"
                                     f"Content-Length: {len(body)}\n", body)
        self.assertEqual(status, 200)
        self.assertEqual(json.loads(answer)["id"], 5)
        return json.loads(answer)

    def call(self, port, method, *params):
        return self.call_answer(port, method, params)["result"]

    def refused(self, port, method, *params):
        return self.call_answer(port, method, params)["error"]

    def test_json_rpc_tells_of_two_nodes_what_they_are(self):
        first, port = self.node("--produce", "--period", 1)
        info = self.call(port, "admin_nodeInfo")
        second = self.start("ethnet", "node", "--addr", "127.0.0.1", "--port", 0, "--datadir", "e",
                            "--verbosity", 4, "--bootnodes", info["enode"])
        port2 = int(second.wait_for(r"Answering over HTTP.* port=(\d+)").group(1))
        second.next_head()
        self.until(lambda: self.call(port2, "net_peerCount"), lambda count: count == "0x1")
        self.assertEqual(self.call(port2, "admin_peers")[0]["id"], info["id"])
        self.assertEqual(self.call(port2, "admin_peers")[0]["network"]["inbound"], False)
        self.assertTrue(info["enr"].startswith("enr:"))
        self.until(lambda: int(self.call(port, "eth_blockNumber"), 16), lambda number: number > 0)
        self.assertEqual(self.call(port, "net_version"), str(int(self.call(port, "eth_chainId"), 16)))
        self.assertEqual(self.call(port, "web3_clientVersion"), info["name"])
        self.stop(second)
        self.stop(first)

    def scope(self, port, *words):
        """What `ethnet scope` prints."""
        command = self.start("ethnet", "scope", *words, "--node", f"localhost:{port}", "--json")
        text = command.rest()
        self.assertEqual(command.exit_code(), 0, text)
        return json.loads(text)

    def web_socket(self, port, **wishes):
        return WebSocket(self.connect(port), **wishes)

    def test_a_websocket_tells_of_heads_forks_and_reorganisations_as_they_happen(self):
        node, port = self.node("--produce", "--produce-forks", "--period", 1)
        grpc = int(node.wait_for(r"Answering over gRPC.* port=(\d+)").group(1))
        page = self.web_socket(port, origin="http://localhost")
        heads = page.call("eth_subscribe", "newHeads")
        reorgs = page.call("eth_subscribe", "reorgs")
        events = page.call("eth_subscribe", "events", {"after": 0})
        node.wait_for(r"\[REORG\]")
        reorg = page.told(reorgs)
        self.assertEqual(reorg["reorg"]["reorg"], 1)
        first = page.told(events)
        self.assertEqual(first["cursor"], 1)
        while first != reorg:  # the very same event, among the others
            first = page.told(events)
        kept = self.scope(grpc, "reorgs")["reorgs"][-1]
        self.assertEqual(kept["reorg"], reorg["reorg"])
        self.assertEqual(page.call("ethscope_reorgs", 256)["reorgs"][-1], kept)
        one, two = page.told(heads), page.told(heads)
        while int(two["number"], 16) != int(one["number"], 16) + 1:
            one, two = two, page.told(heads)
        self.assertRegex(two["parentHash"], r"^0x[0-9a-f]{64}$")
        self.assertGreater(int(two["timestamp"], 16), int(one["timestamp"], 16))
        self.assertEqual(page.call("eth_getHeaderByHash", two["hash"]), two)
        self.assertTrue(page.call("eth_unsubscribe", events))
        self.assertFalse(page.call("eth_unsubscribe", events))
        self.stop(node)

    def test_blocks_are_found_by_number_hash_and_tag(self):
        node, port = self.node("--produce", "--period", 1, "--produce-for", 3)
        node.wait_for("Stopped producing")
        head = self.call(port, "eth_getBlockByNumber", "latest", False)
        height = int(head["number"], 16)
        self.assertGreaterEqual(height, 2)
        self.assertEqual(self.call(port, "eth_blockNumber"), head["number"])
        self.until(lambda: self.call(port, "ethscope_summary")["canonical_head"]["hash"],
                   lambda known: known == head["hash"])
        self.assertEqual(self.call(port, "eth_getBlockByHash", head["hash"], False), head)
        self.assertEqual(head["transactions"], [])
        while int(head["number"], 16) > 0:  # down to the genesis, by number and by hash
            parent = self.call(port, "eth_getBlockByHash", head["parentHash"], False)
            self.assertEqual(self.call(port, "eth_getBlockByNumber", hex(int(head["number"], 16) - 1), False), parent)
            head = parent
        self.assertEqual(self.call(port, "eth_getBlockByNumber", "earliest", False), head)
        self.assertEqual(head["hash"], self.call(port, "admin_nodeInfo")["protocols"]["mini-sync"]["genesis"])
        self.assertIsNone(self.call(port, "eth_getBlockByNumber", hex(height + 1000), False))
        self.stop(node)

    def test_peers_are_changed_over_http_only_where_that_is_allowed(self):
        first, port = self.node("--produce", "--period", 1)
        second, port2 = self.node("--http.api", "admin,eth", "--datadir", "d2")
        enode = self.call(port, "admin_nodeInfo")["enode"]
        off = self.refused(port, "admin_addPeer", enode)
        self.assertEqual(off["code"], -32601)
        self.assertIn("--http.api admin", off["message"])
        self.assertTrue(self.call(port2, "admin_addPeer", enode))
        self.assertFalse(self.call(port2, "admin_addPeer", enode))
        self.until(lambda: self.call(port2, "net_peerCount"), lambda count: count == "0x1")
        self.assertIn("enode", self.refused(port2, "admin_addPeer", "enode://12@")["message"])
        self.assertTrue(self.call(port2, "admin_removePeer", enode))
        self.until(lambda: self.call(port2, "net_peerCount"), lambda count: count == "0x0")
        self.stop(second)
        self.stop(first)

    def test_ethscopes_methods_answer_what_ethnet_scope_prints(self):
        node, port = self.node("--produce", "--period", 1, "--produce-for", 2)
        grpc = int(node.wait_for(r"Answering over gRPC.* port=(\d+)").group(1))
        node.wait_for("Stopped producing")
        tree = self.scope(grpc, "tree")
        self.until(lambda: self.call(port, "ethscope_forkTree"), lambda got: got == self.scope(grpc, "tree"))
        self.assertGreaterEqual(len(tree["nodes"]), 1)
        for name, method in (("peers", "ethscope_peers"), ("data", "ethscope_dataSets"), ("reorgs", "ethscope_reorgs")):
            self.assertEqual(self.call(port, method), self.scope(grpc, name))
        summary = self.scope(grpc, "summary")
        got = self.call(port, "ethscope_summary")
        self.assertEqual(list(got), list(summary))
        self.assertEqual(got["node_id"], summary["node_id"])
        counters = self.call(port, "ethscope_counters")
        self.assertGreaterEqual(counters["producer.sealed"], 1)
        self.assertNotIn(0, counters.values())

    def test_atk_a6_a_web_page_of_another_origin_opens_no_websocket(self):
        _, port = self.node()
        for origin in ("http://evil.example", "null", f"http://localhost:{port}.evil.example"):
            self.assertEqual(self.web_socket(port, origin=origin).status, 403)
        self.assertEqual(self.web_socket(port, host="evil.example", origin="http://evil.example").status, 403)
        self.assertEqual(self.web_socket(port, host=f"localhost:{port}", origin=f"http://localhost:{port}").status, 101)
        self.assertEqual(self.metric(port, 'ethnet_http_refused_total{reason="origin_not_allowed"}'), 3)
        self.assertEqual(self.metric(port, 'ethnet_http_refused_total{reason="host_not_allowed"}'), 1)

    def test_atk_a6_websockets_that_read_nothing_do_not_keep_the_node_from_its_chain(self):
        node, port = self.node("--produce", "--period", 1)
        ask = json.dumps([{"jsonrpc": "2.0", "id": 1, "method": "ethscope_forkTree"}] * 100).encode()
        for _ in range(16):
            stalled = self.web_socket(port)
            stalled.call("eth_subscribe", "events", {"after": 0})
            for _ in range(10):
                stalled.send(ask)
        _, before = node.next_head()
        while node.next_head()[1] < before + 3:
            pass
        self.assertEqual(self.metric(port, "ethnet_http_sockets_opened_total"), 16)
        self.assertGreaterEqual(self.metric(port, "chain_head_header"), before)
        self.stop(node)

    def test_a_taken_http_port_is_one_clear_line(self):
        _, port = self.node()
        second = self.start("ethnet", "node", "--addr", "127.0.0.1", "--port", 0, "--datadir", "e",
                            "--http.port", port)
        self.assertEqual(second.exit_code(), 1)
        self.assertEqual(second.rest(), f"ethnet: port {port}/tcp is in use: name another one by "
                         "--http.port, or --http=false")

    def test_switched_off_it_does_not_listen(self):
        node = self.start("ethnet", "node", "--addr", "127.0.0.1", "--port", 0, "--datadir", "d",
                          "--http=false")
        node.wait_for("Started P2P networking")
        self.stop(node)
        self.assertNotIn("HTTP", node.rest())

    def test_atk_a6_a_host_that_is_not_ours_is_403_and_counted(self):
        _, port = self.node("--http.vhosts", "node.example")
        for host in ("evil.example", f"localhost.evil.example:{port}", "127.0.0.1.evil.example"):
            status, header, body = self.get(port, "/metrics", host)
            self.assertEqual(status, 403)
            self.assertEqual(json.loads(body)["error"], "host_not_allowed")
            self.assertNotIn("Access-Control", header)
        for host in ("localhost", f"127.0.0.1:{port}", "[::1]", "node.example"):
            self.assertEqual(self.get(port, "/health", host)[0], 200)
        self.assertEqual(self.metric(port, 'ethnet_http_refused_total{reason="host_not_allowed"}'), 3)

    def test_atk_a6_what_is_no_request_or_too_large_is_a_typed_error_and_counted(self):
        _, port = self.node()
        for text, status, error in (
                ("BANANA\n", 400, "bad_request"),
                ("GET /metrics HTTP/1.1\n", 400, "bad_request"),
                ("GET /metrics HTTP/1.1\nHost: localhost\nX: " + "x" * 9000 + "\n", 431, "header_too_large"),
                ("POST / HTTP/1.1\nHost: localhost\nContent-Length: 1048577\n", 413, "body_too_large")):
            told, _, body = self.ask(port, text)
            self.assertEqual(told, status, text[:60])
            self.assertEqual(json.loads(body)["error"], error)
            self.assertGreaterEqual(self.metric(port, f'ethnet_http_refused_total{{reason="{error}"}}'), 1)

    def trickle(self, port, first, one):
        """How long a connection lives that begins so and then sends `one` again and again."""
        connection = self.connect(port)
        connection.sendall(first)
        begun = time.monotonic()
        connection.settimeout(0.2)
        while time.monotonic() < begun + SECONDS:
            try:
                if connection.recv(4096) == b"":
                    break
                self.fail("it was answered")
            except socket.timeout:
                try:
                    connection.sendall(one)
                except OSError:
                    break
            except ConnectionResetError:
                break
        return time.monotonic() - begun

    def test_atk_a6_a_slow_header_and_a_slow_body_are_closed_in_time(self):
        _, port = self.node()
        head = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n"
        self.assertLess(self.trickle(port, b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n", b"X: y\r\n"), 15)
        self.assertEqual(self.metric(port, 'ethnet_http_refused_total{reason="header_timeout"}'), 1)
        self.assertLess(self.trickle(port, head + b"\r\n", b"x"), 20)
        self.assertEqual(self.metric(port, 'ethnet_http_refused_total{reason="body_timeout"}'), 1)

    def test_atk_a6_ten_stalled_readers_do_not_keep_the_node_from_following_its_chain(self):
        node, port = self.node("--produce", "--period", 1)
        request = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
        for _ in range(10):
            stalled = socket.socket()
            self.addCleanup(stalled.close)
            stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            stalled.settimeout(SECONDS)
            stalled.connect(("127.0.0.1", port))
            stalled.sendall(request * 50)
        _, before = node.next_head()
        while node.next_head()[1] < before + 3:
            pass
        self.assertGreaterEqual(self.metric(port, "ethnet_http_connections"), 11, "they do stall")
        self.assertGreaterEqual(self.metric(port, "chain_head_header"), before)
        self.assertEqual(self.metric(port, "p2p_peers"), 0)

    def test_atk_a6_who_holds_every_connection_keeps_nobody_out(self):
        _, port = self.node()
        held = [self.connect(port) for _ in range(64)]
        for connection in held:
            connection.sendall(b"GET /metrics HTTP/1.1\r\n")
        self.assertEqual(self.get(port, "/health")[0], 200)
        self.assertGreaterEqual(self.metric(port, "ethnet_http_evicted_total"), 1)
        self.assertLessEqual(self.metric(port, "ethnet_http_connections"), 64)


if __name__ == "__main__":
    unittest.main()
