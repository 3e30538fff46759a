"""The image and compose.yaml on a real engine. Skipped where there is none, or none that has the image:

    docker build -t ethnetlite . && ETHNET_SOURCE_DIR=. python3 tests/process/docker_test.py

ETHNET_COMPOSE is how compose is called (`docker compose`). Everything runs on the machine's own network, so that an engine
without a bridge does too; only the test of published ports needs a bridge.
"""

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from patient import PatientTest  # noqa: E402

ROOT = os.path.abspath(os.environ["ETHNET_SOURCE_DIR"])
IMAGE = "ethnetlite:latest"
COMPOSE = shlex.split(os.environ.get("ETHNET_COMPOSE", "docker compose"))
FILES = ["-f", "compose.yaml", "-f", "tests/docker/host-network.yaml", "-p", "ethnet-test"]
DEADLINE_SECONDS = 240


def call(*command, check=True):
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=DEADLINE_SECONDS)
    if check and done.returncode != 0:
        raise AssertionError(f"{shlex.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done


def is_free(port, kind):
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind(("0.0.0.0", port))
        except OSError:
            return False
    return True


class Docker(PatientTest):
    PATIENCE_SECONDS = DEADLINE_SECONDS

    def setUp(self):
        if shutil.which("docker") is None or call("docker", "info", check=False).returncode != 0:
            self.skipTest("no Docker engine answers")
        if call("docker", "image", "inspect", IMAGE, check=False).returncode != 0:
            self.skipTest(f"the engine has no image {IMAGE}: docker build -t ethnetlite .")

    def free_ports(self, *ports):
        for port in ports:
            if not is_free(port, socket.SOCK_DGRAM) or not is_free(port + 1000, socket.SOCK_STREAM):
                self.skipTest(f"somebody has port {port} or {port + 1000}")

    def container(self, *words):
        name = call("docker", "run", "-d", *words).stdout.strip()
        self.addCleanup(call, "docker", "rm", "-f", "-v", name)
        return name

    @staticmethod
    def summary(prefix, port):
        """What a node's gRPC says of it; None while it does not answer."""
        done = call(*prefix, "ethnet", "scope", "summary", "--json", "--node", f"localhost:{port}", check=False)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def test_the_image_takes_a_command_and_runs_as_nobody_special(self):
        said = call("docker", "run", "--rm", "--network", "none", IMAGE, "sh", "-c", "id -u; command -v ethnet; command -v EthNetLite").stdout
        self.assertEqual(said.split(), ["10001", "/usr/local/bin/ethnet", "/usr/local/bin/EthNetLite"])

    def test_grpc_answers_on_every_address_of_the_container(self):
        self.free_ports(9401)
        node = self.container("--network", "host", IMAGE, "EthNetLite", "9401")
        self.until(lambda: self.summary(["docker", "exec", node], 10401), lambda told: told is not None)
        listens = call("docker", "exec", node, "cat", "/proc/net/tcp").stdout
        self.assertRegex(listens, rf"00000000:{10401:04X} 00000000:0000 0A")
        call("docker", "stop", node)  # TERM: a clean end
        self.assertIn("Stopped", call("docker", "logs", node).stdout)

    def test_published_ports_lead_to_the_node(self):
        if call("docker", "network", "inspect", "bridge", check=False).returncode != 0:
            self.skipTest("this engine has no bridge")
        self.free_ports(9001)
        self.container("-p", "9001:9001/udp", "-p", "10001:10001", IMAGE, "EthNetLite", "9001")
        client = ["docker", "run", "--rm", "--network", "host", IMAGE]
        self.until(lambda: self.summary(client, 10001), lambda told: told is not None)

    def test_three_nodes_of_compose_agree(self):
        if call(*COMPOSE, "version", check=False).returncode != 0:
            self.skipTest("there is no docker compose")
        self.free_ports(9001, 9002, 9003)
        self.addCleanup(call, *COMPOSE, *FILES, "down", "-v", "-t", "5")
        call(*COMPOSE, *FILES, "up", "-d", "--no-build")
        nodes = [call(*COMPOSE, *FILES, "ps", "-q", f"node{n}").stdout.strip() for n in (1, 2, 3)]

        def heads():
            told = [self.summary(["docker", "exec", node], 10001 + i) for i, node in enumerate(nodes)]
            return [one and (one["canonical_head"], one["active_peers"]) for one in told]

        def agree(told):
            return all(told) and all(one == told[0] and one[0]["number"] >= 3 and one[1] == 2 for one in told)

        self.until(heads, agree)
        logs = call(*COMPOSE, *FILES, "logs", "--no-color").stdout
        for n in (1, 2, 3):
            self.assertRegex(logs, rf"node{n}[^\n]*Session opened")
        self.assertIsNone(re.search(r"ERROR", logs))


if __name__ == "__main__":
    unittest.main()
