"""The gRPC side of a real node: asked by `ethnet scope`, and by a client of another language that learns everything by
reflection."""

import json
import os
import re
import socket
import subprocess
import sys
import unittest
import urllib.request

sys.path.insert(0, os.path.dirname(__file__))
from support import BIN, DEADLINE_SECONDS, ProcessTest  # noqa: E402

# The one that the packages of the system are installed for.
PYTHON = "/usr/bin/python3"
FOLDER = os.path.dirname(os.path.abspath(__file__))
READERS = os.path.join(FOLDER, "event_readers.py")
GRPCURL = os.path.join(os.environ["ETHNET_SOURCE_DIR"], "build", "tools", "grpcurl")
# Blocks of each reorganisation, and how many: together more than the node's log of events holds (16 MiB of all
# events and 8 of the newest reorganisations; 32 bytes a block, removed and added).
FLIP_DEPTH = 6000
FLIPS = 60
CLIENT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "grpc_by_reflection.py")


class Scope(ProcessTest):
    def node(self, *arguments, datadir="d", descriptors=None):
        """A node that answers, and its gRPC port."""
        node = self.start("ethnet", "node", "--addr", "127.0.0.1", "--port", 0, "--datadir", datadir,
                          "--verbosity", 4, *arguments, descriptors=descriptors)
        return node, int(node.wait_for(r"Answering over gRPC.* port=(\d+)").group(1))

    def scope(self, port, *words, status=0):
        """What it prints."""
        command = self.start("ethnet", "scope", *words, "--node", f"localhost:{port}")  # looked up, without a leak
        text = command.rest()
        self.assertEqual(command.exit_code(), status, text)
        return text

    def ask(self, port, *words):
        return json.loads(self.scope(port, *words, "--json"))

    def client(self, port, *words):
        return subprocess.Popen([PYTHON, CLIENT, f"127.0.0.1:{port}", *words], stdout=subprocess.PIPE, text=True)

    def test_what_forks_and_reorganises_is_told_as_it_happens(self):
        node, port = self.node("--produce", "--produce-forks", "--period", 1)
        found = node.wait_for(r"\[REORG\] fork_point=(0x\w{4}).* depth=(\d+)")
        lines = [json.loads(line) for line in self.scope(port, "events", "--all", "--count", 5, "--json").split("\n")]
        self.assertEqual([line["cursor"] for line in lines], [1, 2, 3, 4, 5])
        reorgs = [line["reorg"] for line in lines if "reorg" in line]
        self.assertEqual(len(reorgs), 1, lines)
        self.assertTrue(reorgs[0]["fork_point"].startswith(found.group(1)))
        self.assertEqual(reorgs[0]["depth"], int(found.group(2)))
        self.assertEqual(len(reorgs[0]["removed"]), reorgs[0]["depth"])
        self.assertEqual(reorgs[0]["added"][-1], reorgs[0]["new_head"]["hash"])
        self.assertTrue(any("fork_detected" in line for line in lines), lines)
        kept = self.ask(port, "reorgs")
        self.assertGreaterEqual(kept["total"], 1)
        self.assertEqual(kept["reorgs"][-1]["reorg"], reorgs[0])
        self.assertRegex(self.scope(port, "events", "--after", 4, "--count", 1), r"Z +5 (head|reorg|fork) ")
        self.assertRegex(self.scope(port, "reorgs"), r"depth \d+ at 0x")
        self.stop(node)

    def test_two_nodes_are_peers_of_each_other(self):
        first, port = self.node("--produce", "--period", 1, datadir="a")
        enode = self.ask(port, "summary")["enode"]
        second, other = self.node("--peer", enode, datadir="b")
        second.wait_for("Session opened")
        peers = self.until(lambda: self.ask(port, "peers")["peers"],
                           lambda found: found and found[0]["rtt_ns"] > 0 and found[0]["bytes_in"] > 1000)
        self.assertEqual(len(peers), 1)
        self.assertEqual(peers[0]["direction"], "INBOUND")
        self.assertEqual(peers[0]["id"], self.ask(other, "summary")["node_id"])
        self.assertIn("mini-sync/0.1", peers[0]["capabilities"])
        self.assertGreater(peers[0]["bytes_out"], 1000)
        table = self.until(lambda: self.scope(other, "peers").split("\n"), lambda lines: "ms " in lines[-1])
        self.assertEqual(len(table), 2)
        self.assertRegex(table[1], r"^0x\w{8} out +127\.0\.0\.1:\d+ +\d+\.\d\dms ")
        events = self.ask(other, "events", "--all", "--count", 1)
        self.assertEqual(events["peer_joined"]["direction"], "OUTBOUND")
        summary = self.scope(port, "summary")
        self.assertRegex(summary, r"peers +1 active, \d+ discovered")
        tree = self.ask(port, "tree")
        self.assertEqual(tree["nodes"][-1]["hash"], tree["head"]["hash"])
        self.assertTrue(all(node["canonical"] for node in tree["nodes"]))
        self.assertEqual(self.scope(port, "data"), "no data sets")

    def test_a_client_of_another_language_learns_it_all_by_reflection(self):
        node, port = self.node("--produce", "--period", 1)
        _, height = node.next_head()
        self.until(lambda: self.ask(port, "summary"), lambda found: found["canonical_head"]["number"] >= height)
        answer = json.loads(self.client(port).communicate(timeout=DEADLINE_SECONDS)[0])
        self.assertIn("ethscope.EthScope", answer["services"])
        self.assertIn("grpc.health.v1.Health", answer["services"])
        self.assertEqual(answer["methods"], ["GetForkTree", "GetReorgs", "GetSummary", "ListDataSets", "ListPeers",
                                             "ListRefusals", "StreamEvents"])
        self.assertEqual(answer["health"], {"": "SERVING", "ethscope.EthScope": "SERVING", "nobody": "NOT_FOUND"})
        self.assertEqual(answer["summary"]["chain_id"], "1337")
        self.assertGreaterEqual(int(answer["summary"]["canonical_head"]["number"]), height)
        self.assertEqual(answer["peers"], {})
        self.stop(node)

    @unittest.skipUnless(os.access(GRPCURL, os.X_OK), "no grpcurl: ./dev setup builds it where Go is installed")
    def test_grpcurl_lists_describes_and_calls(self):
        node, port = self.node("--produce", "--period", 1)
        node.next_head()
        target = f"localhost:{port}"

        def grpcurl(*words):
            return subprocess.run([GRPCURL, "-plaintext", *words], capture_output=True, text=True, check=True,
                                  timeout=DEADLINE_SECONDS).stdout
        services = grpcurl(target, "list").split()
        self.assertIn("ethscope.EthScope", services)
        self.assertIn("grpc.health.v1.Health", services)
        self.assertIn("rpc StreamEvents ( .ethscope.StreamEventsRequest ) returns ( stream .ethscope.Event );",
                      grpcurl(target, "describe", "ethscope.EthScope"))
        self.assertEqual(json.loads(grpcurl(target, "grpc.health.v1.Health/Check")), {"status": "SERVING"})
        summary = json.loads(grpcurl(target, "ethscope.EthScope/GetSummary"))
        self.assertEqual(summary["enode"], self.ask(port, "summary")["enode"])
        self.stop(node)

    def metric(self, port, name):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=DEADLINE_SECONDS) as page:
            found = re.search(rf"^{name} (\d+)$", page.read().decode(), re.M)
        self.assertIsNotNone(found, name)
        return int(found.group(1))

    def test_of_ten_readers_nine_stall_and_the_tenth_misses_nothing(self):
        node, port = self.node()
        http = int(re.search(r"Answering over HTTP.* port=(\d+)", "\n".join(node.seen)).group(1))
        enode = self.ask(port, "summary")["enode"]
        flipper = subprocess.Popen([os.path.join(BIN, "flipping_peer"), "0", enode, str(FLIP_DEPTH)],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(flipper.wait)
        self.addCleanup(flipper.stdin.close)
        self.addCleanup(flipper.stdout.close)
        self.assertEqual(flipper.stdout.readline(), "ready\n")
        self.until(lambda: self.ask(port, "summary")["canonical_head"]["number"], lambda at: at == FLIP_DEPTH + 1)
        readers = subprocess.Popen([PYTHON, READERS, f"127.0.0.1:{port}", "9"], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, text=True)
        self.addCleanup(readers.wait)
        self.addCleanup(readers.stdin.close)
        self.addCleanup(readers.stdout.close)
        self.assertEqual(readers.stdout.readline(), "ready\n")

        cursor, flips, most_bytes = None, 0, 0
        while flips < FLIPS:
            flipper.stdin.write("flip\n")
            flipper.stdin.flush()
            seen = None
            while seen is None or seen.get("parts_left") != 0:  # until the reorganisation is told whole
                seen = json.loads(readers.stdout.readline())
                self.assertNotIn("gap", seen, "the tenth missed something")
                self.assertIn(seen["cursor"], (cursor + 1,) if cursor else (seen["cursor"],))
                cursor = seen["cursor"]
            flips += 1
            self.assertEqual(seen["removed"], FLIP_DEPTH + flips)
            self.assertEqual(seen["added"], FLIP_DEPTH + flips + 1)
            most_bytes = max(most_bytes, self.metric(http, "ethnet_grpc_log_bytes"))
            self.assertLessEqual(self.metric(http, "ethnet_grpc_log_events"), 16_384)
        # It is full, or nobody fell behind; how full, is told once a second.
        full = self.until(lambda: self.metric(http, "ethnet_grpc_log_bytes"), lambda held: held > 16 * 1024 * 1024)
        self.assertLessEqual(max(most_bytes, full), (16 + 8) * 1024 * 1024)
        self.assertEqual(self.metric(http, "ethnet_grpc_streams"), 10)
        self.assertEqual(self.metric(http, "ethnet_grpc_gaps_total"), 0, "nobody was told of a gap before he read")
        asked_at = cursor
        readers.stdin.write("read\n")
        readers.stdin.flush()
        stalled = []
        while len(stalled) < 9:
            told = json.loads(readers.stdout.readline())
            if "gaps" in told:
                stalled.append(told)
            else:  # of the tenth, after its last reorganisation
                self.assertEqual(told["cursor"], cursor + 1)
                cursor = told["cursor"]
        for told in stalled:
            self.assertEqual(told["gaps"], 1, told)
            self.assertEqual(told["missed"] + told["events"], told["last"] - told["first"] + 1, told)
            self.assertGreaterEqual(told["last"], asked_at, told)  # what came since, some were told too
        self.stop(node)

    def test_health_is_not_serving_while_the_node_drains(self):
        node, port = self.node()
        watcher = self.client(port, "watch")
        self.assertEqual(watcher.stdout.readline(), "SERVING\n")
        self.stop(node)
        said = watcher.communicate(timeout=DEADLINE_SECONDS)[0].split("\n")
        self.assertEqual(said[0], "NOT_SERVING", said)

    def test_it_listens_at_port_plus_1000_and_says_when_it_cannot(self):
        port = self.free_ports(1)[0]
        first = self.start("ethnet", "node", "--addr", "127.0.0.1", "--port", port, "--datadir", "a")
        first.wait_for(rf"Answering over gRPC.* port={port + 1000}$")
        second = self.start("ethnet", "node", "--addr", "127.0.0.1", "--port", 0, "--datadir", "b", "--grpc.port",
                            port + 1000)
        self.assertEqual(second.exit_code(), 1)
        self.assertEqual(second.rest(), f"ethnet: port {port + 1000}/tcp is in use: name another one by --grpc.port, or "
                                        "--grpc=false")
        self.stop(first)
        third = self.start("ethnet", "node", "--addr", "127.0.0.1", "--port", port, "--datadir", "c", "--grpc=false")
        third.wait_for("Answering over HTTP")
        self.scope(port + 1000, "summary", status=1)
        self.assertNotIn("gRPC", "\n".join(third.seen))

    def test_atk_10_without_descriptors_it_takes_connections_again_later(self):
        node, port = self.node("--produce", "--period", 1, descriptors=256)
        self.scope(port, "summary")  # whatever is done for the first time
        node.next_head()
        node.exhaust_descriptors()
        waiting = [socket.create_connection(("127.0.0.1", port), DEADLINE_SECONDS) for _ in range(3)]
        node.next_head()
        node.next_head()
        node.restore_descriptors()
        for connection in waiting:
            connection.close()
        _, height = node.next_head()
        self.until(lambda: self.ask(port, "summary"), lambda found: found["canonical_head"]["number"] >= height)

    def test_atk_76_calls_that_are_reset_at_once_do_not_keep_the_node_from_its_chain(self):
        node, port = self.node("--produce", "--period", 1)
        node.next_head()
        # HTTP/2: preface, empty SETTINGS, then a thousand streams, each opened and reset.
        opened = b"".join(self.frame(1, 4, 2 * i + 1, b"\x83\x86\x84\x41\x01a") + self.frame(3, 0, 2 * i + 1, b"\0\0\0\x08")
                          for i in range(1000))
        hello = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + self.frame(4, 0, 0, b"")
        for _ in range(10):
            connection = socket.create_connection(("127.0.0.1", port), DEADLINE_SECONDS)
            self.addCleanup(connection.close)
            try:
                connection.sendall(hello + opened)
            except OSError:
                pass  # it has had enough
        _, before = node.next_head()
        while node.next_head()[1] < before + 3:
            pass
        self.until(lambda: self.ask(port, "summary"), lambda found: found["canonical_head"]["number"] > before)
        self.stop(node)

    @staticmethod
    def frame(kind, flags, stream, payload):
        return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload

    def test_the_doctor_says_what_is_wrong_and_what_to_do(self):
        own = self.free_ports(1)[0]
        lonely = self.start("ethnet", "node", "--addr", "127.0.0.1", "--port", own, "--datadir", "lonely", "--grpc.port",
                            self.free_ports(1)[0], "--bootnodes", f"127.0.0.1:{own}", "--http=false")
        port = int(lonely.wait_for(r"Answering over gRPC.* port=(\d+)").group(1))

        def doctor(port):
            return self.start("ethnet", "doctor", "--node", f"localhost:{port}", "--json").rest()
        checks = json.loads(self.until(lambda: doctor(port), lambda said: "self connection" in said))
        found = {check["check"]: check for check in checks}
        self.assertEqual(found["peers"]["finding"], "BAD")
        self.assertIn("--bootnodes", found["peers"]["advice"])
        self.assertRegex(found["refused in"]["what"], r"^\d+ in the last ten minutes: self connection$")
        self.assertIn("take its own address off", found["refused in"]["advice"])
        text = self.start("ethnet", "doctor", "--node", f"localhost:{port}")
        self.assertRegex(text.rest(), r"\nBAD   peers        0 of 50 places taken.*\n +-> name somebody to begin with")
        self.assertEqual(text.exit_code(), 2)

        first, port = self.node(datadir="a")
        enode = self.ask(port, "summary")["enode"]
        self.node("--bootnodes", enode, datadir="b")
        # Its summary and its list of peers are two questions, and the session may come between them.
        self.until(lambda: doctor(port), lambda said: "were begun by others" in said and '"BAD"' not in said)
        self.stop(first)

    def test_errors_are_one_clear_line(self):
        _, port = self.node()
        said = self.scope(port, "reorgs", "--limit", 0, status=1)
        self.assertRegex(said, r"^ethnet: --limit: [^\n]+ not in range [^\n]+$")
        nobody = self.start("ethnet", "scope", "summary", "--node", "127.0.0.1:1")
        self.assertEqual(nobody.exit_code(), 1)
        self.assertEqual(nobody.rest(), "ethnet: no node answers at 127.0.0.1:1: is it running, and is this its gRPC port?")


if __name__ == "__main__":
    unittest.main()
