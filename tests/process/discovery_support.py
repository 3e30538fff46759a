"""What the tests of Ethereum's discovery networks have in common: nodes on loopback, and what they say of themselves."""

import json
import os
import re
import urllib.request

from support import DEADLINE_SECONDS, ProcessTest

KEY = "31" * 32


class DiscoveryTest(ProcessTest):
    def listen(self, version, *words):
        """A node, and its names: its record, and for discv4 its enode URL too."""
        node = self.start("ethnet", version, "listen", "--addr", "127.0.0.1:0", *words)
        enode = node.wait_for(r"^(enode://\S+)$").group(1) if version == "discv4" else None
        return node, node.wait_for(r"^(enr:\S+)$").group(1), enode

    def ask(self, *words, status=0):
        command = self.start("ethnet", *words)
        text = command.rest()
        self.assertEqual(command.exit_code(), status, text)
        return text

    def stop(self, *nodes):
        for node in nodes:
            node.terminate()
            self.assertEqual(node.exit_code(10), 0, node.rest())

    def write_key(self):
        self.write("key", KEY)
        os.chmod(os.path.join(self.directory, "key"), 0o600)

    def record_fields(self, record):
        return dict(line.split(None, 1) for line in self.ask("enr", "decode", record).replace("node id", "id").splitlines())

    def node(self, name, *words, address="127.0.0.1", port=0, discv=("--nodiscover", "--discovery.v5", "--discovery.v4")):
        """A node that finds others by nothing but `discv`; where it tells what it counts."""
        node = self.start("ethnet", "node", "--addr", address, "--port", port, "--datadir", name, *discv, *words)
        node.wait_for(r"Started P2P networking")
        return node, int(node.wait_for(r"Answering over HTTP.* port=(\d+)").group(1))

    def metric(self, port, name):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=DEADLINE_SECONDS) as page:
            found = re.search(rf"^{name} (\d+)$", page.read().decode(), re.M)
        self.assertIsNotNone(found, name)
        return int(found.group(1))

    def metrics(self, port):
        """All numbers of a node, by name."""
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=DEADLINE_SECONDS) as page:
            return {name: int(value) for name, value in re.findall(r"^(\w+) (\d+)$", page.read().decode(), re.M)}

    def node_info(self, port):
        """What a node says of itself: admin_nodeInfo."""
        request = urllib.request.Request(f"http://127.0.0.1:{port}/", headers={"Content-Type": "application/json"},
                                         data=json.dumps({"jsonrpc": "2.0", "id": 1, "method": "admin_nodeInfo",
                                                          "params": []}).encode())
        with urllib.request.urlopen(request, timeout=DEADLINE_SECONDS) as answer:
            return json.load(answer)["result"]
