"""A node among others is killed at random points of its run: what it said is there at the next start, whom it knew is
found again without being named, and what lived in memory is offered to nobody."""

import http.client
import json
import os
import random
import re
import sys
import unittest

sys.path.insert(0, os.path.dirname(__file__))
from support import DEADLINE_SECONDS, HEAD, ProcessTest  # noqa: E402

POINTS = int(os.environ.get("ETHNET_CRASHES", "5"))
SEED = int(os.environ.get("ETHNET_CRASH_SEED", "1"))
SAVED = r"Saved the known nodes\s.*nodes=(\d+)"
CHUNK = 1024  # the smallest
CHUNKS = 8


class Crash(ProcessTest):
    def node(self, datadir, *arguments, wait=True):
        """A node, its HTTP port with it once it answers there."""
        node = self.start("ethnet", "node", "--addr", "127.0.0.1", "--port", 0, "--datadir", datadir, "--verbosity", 5,
                          "--das.sample", "off", "--grpc=false", *arguments)
        if wait:
            found = node.wait_for(r"Started P2P networking.*self=(enode:\S+).* height=(\d+)")
            node.enode, node.height = found.group(1), int(found.group(2))
            node.http = int(node.wait_for(r"Answering over HTTP.* port=(\d+)").group(1))
        return node

    @staticmethod
    def call(node, method, *params):
        """What it answers over HTTP, where its state is at most a second old."""
        connection = http.client.HTTPConnection("127.0.0.1", node.http, timeout=DEADLINE_SECONDS)
        try:
            body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
            connection.request("POST", "/", body, {"Content-Type": "application/json"})
            return json.loads(connection.getresponse().read())["result"]
        finally:
            connection.close()

    def ethnet(self, *words, status=0):
        """What it prints."""
        command = self.start("ethnet", *words)
        text = command.rest()
        self.assertEqual(command.exit_code(), status, text)
        return text

    def data_sets(self, node):
        """What it tells of each, by its id."""
        nothing = {"held": 0, "whole": False, "pinned": False, "announcers": 0}
        return {found["data_id"]: {**nothing, **found} for found in self.call(node, "ethscope_dataSets")["data_sets"]}

    def data_set(self, node, data_id):
        return self.data_sets(node).get(data_id, {"held": 0, "whole": False, "pinned": False, "announcers": 0})

    def offers(self, node):
        """Announcements and chunks that it sent since its start, data sets of which it holds any."""
        counters = self.call(node, "ethscope_counters")
        return [counters.get(f"das.{name}", 0) for name in ("announcements_sent", "chunks_served", "store.sets")]

    def contents(self, name):
        with open(os.path.join(self.directory, name), "rb") as file:
            return file.read()

    def publish(self, datadir, name):
        """The data id."""
        with open(os.path.join(self.directory, name), "wb") as file:
            file.write(random.Random(name).randbytes((CHUNKS - 1) * CHUNK + 1))
        return self.ethnet("das", "publish", name, "--datadir", datadir, "--chunk-size", CHUNK).split()[2]

    def fetch(self, datadir, data_id):
        self.ethnet("das", "get", data_id, "-o", "fetched", "--datadir", datadir)

    def peers_of(self, node):
        """Ids of those that it keeps a session with."""
        return {peer["id"] for peer in self.call(node, "ethscope_peers").get("peers", []) if not peer.get("visit")}

    def id_of(self, node):
        return self.call(node, "ethscope_summary")["node_id"]

    def kill(self, node, lines):
        """After so many more lines of what it does. The last head that it said counts from now on."""
        for _ in range(lines):
            node.wait_for("")
        node.kill()
        heads = [(found[0], int(found[1])) for found in re.findall(HEAD, node.rest())]
        self.said = max([self.said, *heads], key=lambda head: head[1])

    def test_killed_at_random_points_it_has_its_head_and_its_peers_again_and_offers_no_data(self):
        draw = random.Random(SEED)
        self.source = self.node("source", "--produce", "--period", 1)
        self.asker = self.node("asker", "--bootnodes", self.source.enode)
        self.others = {self.id_of(self.source), self.id_of(self.asker)}
        self.theirs = self.publish("source", "theirs")

        node = self.node("d", "--bootnodes", self.source.enode)
        while int(node.wait_for(SAVED).group(1)) < len(self.others):  # from here on it has to find them
            pass
        self.said, heights = node.next_head(), []
        for point in range(POINTS):
            try:
                node = self.one_crash(node, point, draw, heights)
            except AssertionError as failure:
                raise AssertionError(f"seed {SEED}, point {point}") from failure
        if POINTS > 1:
            self.assertGreater(heights[-1], heights[0], "it lived too short to get anywhere")
        for process in (node, self.asker, self.source):
            self.stop(process)

    def one_crash(self, node, point, draw, heights):
        """The node after its crash and all that is asked of it."""
        name = f"ours{point}"
        ours = self.live_and_die(node, name, draw)
        if draw.randrange(4) == 0:  # and once more while it starts
            self.kill(self.node("d", wait=False), draw.randrange(8))
        node = self.node("d")  # nobody is named, and it is not where it was
        heights.append(node.height)
        self.check_chain(node)
        self.until(lambda: self.peers_of(node), self.others.issubset)
        self.check_no_data(node, ours)
        self.check_data_again(node, name, point % 2)
        return node

    def live_and_die(self, node, name, draw):
        """Some of what a node does in its life, of which the last is cut off. The id of the data set that it said it had
        published, if it did."""
        doings = draw.randrange(4)
        ours = None
        if doings > 0:
            node.next_head()
        if doings > 1:
            ours = self.publish("d", name)
            self.until(lambda: self.data_set(self.asker, ours), lambda found: found["announcers"] == 1)
        if doings > 2:
            self.fetch("d", self.theirs)
        begun = self.start("ethnet", "das", *(("publish", __file__) if doings < 2 else ("get", self.theirs, "-o", "cut")),
                           "--datadir", "d")
        self.kill(node, draw.randrange(20))
        begun.exit_code()  # it was done, or its node is gone
        return ours

    def check_chain(self, node):
        """The head that it said last is in its chain, and that is the one of who made it."""
        short, height = self.said
        self.assertGreaterEqual(node.height, height)
        for number in {height, node.height}:
            theirs, found = (self.until(lambda: self.call(one, "eth_getBlockByNumber", hex(number), False),
                                        lambda block: block)["hash"] for one in (self.source, node))
            self.assertEqual(found, theirs)
            if number == height:
                self.assertTrue(theirs.startswith(short[:6]), (theirs, short))

    def check_no_data(self, node, ours):
        """It has none, says so, and nobody who asks gets any."""
        self.until(lambda: {data_id: found["announcers"] for data_id, found in self.data_sets(self.asker).items()},
                   lambda found: all(count == (data_id == self.theirs) for data_id, count in found.items()))
        if ours is not None:
            said = self.ethnet("das", "get", ours, "-o", "none", "--datadir", "asker", status=1)
            self.assertRegex(said, "^ethnet: (no such data set is known|.*cannot be had)")
        self.until(lambda: self.data_set(node, self.theirs)["announcers"], lambda count: count > 0)
        for data_id, found in self.data_sets(node).items():
            self.assertEqual((found["held"], found["whole"], found["pinned"]), (0, False, False), data_id)
        self.assertEqual(self.offers(node), [0, 0, 0])

    def check_data_again(self, node, name, fetches):
        """What it fetched or published anew it holds, announces and serves."""
        if fetches:
            self.fetch("d", self.theirs)
            self.until(lambda: self.data_set(self.asker, self.theirs), lambda found: found["announcers"] == 2)
            held = self.theirs
        else:
            held = self.publish("d", name)
            self.until(lambda: self.data_set(self.asker, held), lambda found: found["announcers"] == 1)
            self.fetch("asker", held)
            self.assertEqual(self.contents("fetched"), self.contents(name))
            self.until(lambda: self.offers(node), lambda found: found[0] > 0 and found[1:] == [CHUNKS, 1])
        found = self.until(lambda: self.data_set(node, held), lambda found: found["whole"])
        self.assertEqual((found["held"], found["pinned"]), (CHUNKS, True))


if __name__ == "__main__":
    unittest.main()
