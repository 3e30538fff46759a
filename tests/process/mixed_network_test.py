"""Networks of every implementation that there is (tests/interop), on loopback: whoever looks finds whomever, through whomever.
Nodes that begin anew, and such as move to another port, are heard and found again."""

import collections
import json
import os
import random
import re
import sys
import unittest

sys.dont_write_bytecode = True
from discovery_support import DiscoveryTest  # noqa: E402
from interop_peers import GETH, Peer, needs_geth, needs_npm, node_js  # noqa: E402

# What a node is from start to start: its key and its port.
Seat = collections.namedtuple("Seat", "kind key port")
# How it is named to others (a record in discv5, an enode URL in discv4), and what is looked up to find it.
Node = collections.namedtuple("Node", "seat handle name target")

COMMANDS = {"go-ethereum": [GETH], "chainsafe": node_js("chainsafe"), "ethereumjs": node_js("ethereumjs")}


class MixedNetwork(DiscoveryTest):
    def setUp(self):
        super().setUp()
        seed = os.environ.get("ETHNET_MIXED_SEED") or str(random.getrandbits(32))
        print(f"ETHNET_MIXED_SEED={seed}")  # keys, the order of the start, and who begins with whom
        self.random = random.Random(seed)

    def seats(self, counts):
        kinds = [kind for kind, count in counts.items() for _ in range(count)]
        return [Seat(kind, f"{self.random.getrandbits(255) | 1:064x}", port)
                for kind, port in zip(kinds, self.free_ports(len(kinds)))]

    def ours(self, version, seat, boot):
        key = f"key-{seat.port}"
        self.write(key, seat.key)
        os.chmod(os.path.join(self.directory, key), 0o600)
        words = ["--talk", "ethnet-test"] if version == "discv5" else []
        words += ["--bootnodes", ",".join(boot)] if boot else []
        handle = self.start("ethnet", version, "listen", "--addr", f"127.0.0.1:{seat.port}", "--key", key, *words)
        name = handle.wait_for(r"^(enode://\S+)$" if version == "discv4" else r"^(enr:\S+)$").group(1)
        return Node(seat, handle, name, self.target_of(name))

    def theirs(self, version, seat, boot):
        words = [version.replace("disc", "")] if seat.kind == "go-ethereum" else []
        peer = Peer(self, [*COMMANDS[seat.kind], *words, f"key={seat.key}", f"port={seat.port}", *boot])
        name = peer.about["enode" if version == "discv4" else "record"]
        if seat.kind == "chainsafe":  # it turns to its boot nodes when it looks for somebody
            peer.ask("lookup", peer.about["id"])
        return Node(seat, peer, name, self.target_of(name))

    def target_of(self, name):
        if name.startswith("enode://"):
            return re.match(r"enode://([0-9a-f]{128})@", name).group(1)
        return self.record_fields(name)["id"].removeprefix("0x")

    def begin(self, version, seat, boot):
        return self.ours(version, seat, boot) if seat.kind == "ethnet" else self.theirs(version, seat, boot)

    def end(self, *nodes):
        for node in nodes:
            if node.seat.kind == "ethnet":
                node.handle.terminate()
                self.assertEqual(node.handle.exit_code(10), 0, node.handle.rest())
            else:
                node.handle.close()

    def network(self, version, counts):
        """By kind. A few of ours come first, the others in any order."""
        seats = self.seats(counts)
        self.random.shuffle(seats)
        first = [seat for seat in seats if seat.kind == "ethnet"][:4]
        nodes = []
        for seat in [*first, *(seat for seat in seats if seat not in first)]:
            nodes.append(self.begin(version, seat, self.boot_nodes(nodes)))
        return nodes

    def boot_nodes(self, nodes):
        """One of ours, and one of any kind: a node of go-ethereum takes in nobody during its own start, nor has it then
        anybody to tell of, and whoever has begun with it alone asks again in half an hour."""
        ours = [node for node in nodes if node.seat.kind == "ethnet"]
        return {self.random.choice(some).name for some in (ours, nodes) if some}

    def begin_again(self, version, nodes, node, port):
        self.end(node)
        others = [other for other in nodes if other is not node]
        again = self.begin(version, node.seat._replace(port=port), self.boot_nodes(others))
        nodes[nodes.index(node)] = again
        return again

    def one_of(self, nodes, kind, *but):
        return next(node for node in nodes if node.seat.kind == kind and node not in but)

    def found_by_all(self, found_by, kinds, nodes, node):
        for kind in kinds:
            with self.subTest(who=kind, whom=node.seat.kind):
                asker = self.one_of(nodes, kind, node)
                self.until(lambda: found_by(nodes, asker, node), lambda found: self.is_among(node, found))

    @staticmethod
    def is_among(node, found):
        if node.name.startswith("enr:"):
            return node.name in found
        port = re.compile(rf":{node.seat.port}$|:\d+\?discport={node.seat.port}$")  # with or without one of TCP
        return any(node.target in url and port.search(url) for url in found)

    # --- discv5 ---

    def found_by_discv5(self, _, asker, node):
        if node.seat.kind == "chainsafe":  # only by looking for itself it becomes known near itself, as one that stays does
            node.handle.ask("lookup", node.target)
        if asker.seat.kind == "ethnet":
            return self.ask("discv5", "lookup", "--bootnodes", asker.name, "--target", node.target).split("\n")
        answer = asker.handle.ask("lookup", node.target)
        return answer.get("nodes", []) + answer.get("told", [])

    def heard_by_all(self, nodes, node):
        """They have talked to it before, and know nothing of its beginning anew."""
        echo = (b"hi" if node.seat.kind == "ethnet" else b"heard hi").hex()
        for kind in ("go-ethereum", "chainsafe"):
            asker = self.one_of(nodes, kind, node)
            with self.subTest(who=kind, whom=node.seat.kind):
                self.until(lambda: asker.handle.ask("talk", node.name, b"hi".hex()),
                           lambda told: told.get("response") == echo)
        self.assertEqual(self.ask("discv5", "talk", node.name, "ethnet-test", b"hi".hex()), echo)

    def found_by_a_crawl(self, nodes):
        def missing():
            self.ask("discv5", "crawl", "--bootnodes", self.one_of(nodes, "ethnet").name, "--db", "crawl.db",
                     "--json", "crawl.json", "--recheck", 1, "--timeout", 20)
            with open(os.path.join(self.directory, "crawl.json"), encoding="ascii") as file:
                found = {about["record"] for about in json.load(file).values()}
            return [(node.seat.kind, node.name) for node in nodes if node.name not in found]
        self.until(missing, lambda names: not names)

    @needs_geth()
    @needs_npm("chainsafe")
    def test_forty_nodes_of_discv5_find_each_other_begin_anew_and_move(self):
        kinds = ("ethnet", "go-ethereum", "chainsafe")
        nodes = self.network("discv5", {"ethnet": 18, "go-ethereum": 14, "chainsafe": 8})
        self.assertEqual(len(nodes), 40)
        chosen = {kind: self.one_of(reversed(nodes), kind) for kind in kinds}
        for node in chosen.values():
            self.found_by_all(self.found_by_discv5, kinds, nodes, node)
            self.heard_by_all(nodes, node)
        for kind in kinds:  # the same port, and none of the keys of its sessions
            chosen[kind] = self.begin_again("discv5", nodes, chosen[kind], chosen[kind].seat.port)
            self.heard_by_all(nodes, chosen[kind])
        for kind in kinds:
            chosen[kind] = self.begin_again("discv5", nodes, chosen[kind], self.free_ports(1)[0])
            self.found_by_all(self.found_by_discv5, kinds, nodes, chosen[kind])
            self.heard_by_all(nodes, chosen[kind])
        self.found_by_a_crawl(nodes)
        self.end(*nodes)

    # --- discv4 ---

    def found_by_discv4(self, nodes, asker, node):
        if node.seat.kind == "ethereumjs":
            # It has no record, so that we tell nobody of it; go-ethereum does, once it comes there: by asking, from time to
            # time, as one that stays does.
            node.handle.ask("ask", self.one_of(nodes, "ethnet").name)
        if asker.seat.kind == "ethnet":
            return self.ask("discv4", "lookup", "--bootnodes", asker.name, "--target", node.target).split("\n")
        if asker.seat.kind == "go-ethereum":
            return asker.handle.ask("lookup", node.target).get("urls", [])
        # It looks nobody up; whom it is told of it asks, and keeps who answers.
        through = self.random.choice([other for other in nodes if other not in (asker, node)])
        return asker.handle.ask("ask", through.name).get("nodes", [])

    def pinged_by_all(self, nodes, node):
        for kind in ("go-ethereum", "ethereumjs"):
            asker = self.one_of(nodes, kind, node)
            with self.subTest(who=kind, whom=node.seat.kind):
                self.until(lambda: asker.handle.ask("ping", node.name), lambda told: told.get("pong"))
        self.assertIn("sees us at", self.ask("discv4", "ping", node.name))

    @needs_geth()
    @needs_npm("ethereumjs")
    def test_twelve_nodes_of_discv4_find_each_other_and_begin_anew(self):
        kinds = ("ethnet", "go-ethereum", "ethereumjs")
        nodes = self.network("discv4", {"ethnet": 5, "go-ethereum": 4, "ethereumjs": 3})
        chosen = {kind: self.one_of(reversed(nodes), kind) for kind in kinds}
        for node in chosen.values():
            self.found_by_all(self.found_by_discv4, kinds, nodes, node)
            self.pinged_by_all(nodes, node)
        for kind in kinds:  # the same port, and nothing of who has proven where he is
            chosen[kind] = self.begin_again("discv4", nodes, chosen[kind], chosen[kind].seat.port)
            self.found_by_all(self.found_by_discv4, kinds, nodes, chosen[kind])
            self.pinged_by_all(nodes, chosen[kind])
        self.end(*nodes)


if __name__ == "__main__":
    unittest.main()
