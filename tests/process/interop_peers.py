"""Nodes of other people's implementations (tests/interop) as a test drives them."""

import json
import os
import subprocess
import unittest

from support import DEADLINE_SECONDS

ROOT = os.environ["ETHNET_SOURCE_DIR"]
INTEROP = os.path.join(ROOT, "tests", "interop")
TOOLS = os.path.join(ROOT, "build", "tools")
GETH = os.path.join(TOOLS, "geth_discover")
DEVP2P = os.path.join(TOOLS, "devp2p")


def needs_geth():
    there = os.access(GETH, os.X_OK) and os.access(DEVP2P, os.X_OK)
    return unittest.skipUnless(there, "no go-ethereum: ./dev setup interop builds it where Go is installed")


def needs_npm(name):
    there = os.path.exists(os.path.join(INTEROP, name, "node_modules", ".package-lock.json"))
    return unittest.skipUnless(there, f"no {name}: ./dev setup interop installs it where npm is")


def node_js(name):
    return ["node", os.path.join(INTEROP, name, "main.mjs")]


class Peer:
    """A node of somebody else: lines of commands in, a line of JSON for each."""

    def __init__(self, test, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        test.addCleanup(self.close)
        self.about = self.read()
        self.record = self.about.get("record")

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError("it has ended")
        return json.loads(line)

    def ask(self, *words):
        self.process.stdin.write(" ".join(words) + "\n")
        self.process.stdin.flush()
        return self.read()

    def close(self):
        if not self.process.stdin.closed:
            self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(DEADLINE_SECONDS)
        self.process.stdout.close()
