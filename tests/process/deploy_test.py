"""What runs the programs elsewhere says what is so: the image, compose, the dashboard, the workflow. Nothing here needs an
engine; what does is docker_test.py."""

import json
import os
import re
import shutil
import subprocess
import sys
import unittest
import urllib.request

sys.path.insert(0, os.path.dirname(__file__))
from support import DEADLINE_SECONDS, ProcessTest  # noqa: E402

try:
    import yaml
except ImportError:
    yaml = None

ROOT = os.environ["ETHNET_SOURCE_DIR"]
# Of a query: its functions, aggregations and labels are no metrics.
NO_METRICS = {"rate", "sum", "by", "max", "min", "instance", "reason", "direction", "m"}


def text_of(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def queries():
    """Of the dashboard: what its panels ask, and where its list of nodes comes from."""
    dashboard = json.loads(text_of("deploy/grafana/dashboards/ethnet.json"))
    lists = [re.match(r"label_values\((\w+),", one["query"]["query"]).group(1) for one in dashboard["templating"]["list"]]
    return [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]] + lists


class Deploy(ProcessTest):
    def yaml_of(self, path):
        if yaml is None:
            self.skipTest("python3 has no yaml")
        return yaml.safe_load(text_of(path))

    def test_the_dashboard_asks_for_metrics_that_a_node_has(self):
        node = self.start("ethnet", "node", "--addr", "127.0.0.1", "--port", 0, "--grpc=false", "--ipcdisable")
        port = node.wait_for(r"Answering over HTTP.*port=(\d+)").group(1)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=DEADLINE_SECONDS) as answer:
            known = set(re.findall(r"^# TYPE (\w+)", answer.read().decode(), re.M))
        self.stop(node)
        asked = set()
        for query in queries():
            names = set(re.findall(r"[a-z]\w*", re.sub(r'"[^"]*"', "", query))) - NO_METRICS
            self.assertTrue(names, query)
            asked |= names
        self.assertEqual(asked - known, set())
        self.assertGreater(len(asked), 20)

    def promtool(self, what, path):
        done = subprocess.run(["promtool", "check", what, path], capture_output=True, text=True, timeout=DEADLINE_SECONDS)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_prometheus_takes_its_configuration_and_every_query_of_the_dashboard(self):
        if shutil.which("promtool") is None:
            self.skipTest("promtool is not installed")
        self.promtool("config", os.path.join(ROOT, "deploy/prometheus.yml"))
        rules = [{"record": f"panel:{number}", "expr": query.replace("$node", ".*")} for number, query in enumerate(queries())]
        path = os.path.join(self.directory, "rules.yml")
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"groups": [{"name": "dashboard", "rules": rules}]}, file)  # JSON is YAML
        self.promtool("rules", path)

    def test_compose_has_three_nodes_and_who_watches_them(self):
        services = self.yaml_of("compose.yaml")["services"]
        targets = self.yaml_of("deploy/prometheus.yml")["scrape_configs"][0]["static_configs"][0]["targets"]
        for number in (1, 2, 3):
            node = services[f"node{number}"]
            port = 9000 + number
            self.assertEqual(node["command"], ["EthNetLite", str(port)] + ([] if number == 1 else ["node1:9001"]))
            self.assertIn(f"{port}:{port}/udp", node["ports"])
            for offset in (1000, 3000):  # gRPC, HTTP: no password, so on loopback alone
                self.assertIn(f"127.0.0.1:{port + offset}:{port + offset}", node["ports"])
            self.assertEqual(node["environment"]["ETHNET_HTTP_VHOSTS"], f"node{number}")
            self.assertIn(f"node{number}:{port + 3000}", targets)
            self.assertNotIn("profiles", node)
        for watcher in ("prometheus", "grafana"):
            self.assertEqual(services[watcher]["profiles"], ["observe"])
            self.assertRegex(services[watcher]["image"], r":v?\d+\.\d+\.\d+$")

    def test_the_image_has_no_entrypoint_and_runs_as_nobody_special(self):
        last_stage = text_of("Dockerfile").rpartition("\nFROM ")[2]
        words = re.findall(r"^([A-Z]+) ", last_stage, re.M)
        self.assertNotIn("ENTRYPOINT", words)
        self.assertEqual(re.findall(r"^USER (.+)", last_stage, re.M), ["ethnet"])
        self.assertIn("ETHNET_GRPC_ADDR=0.0.0.0", last_stage)
        self.assertIn("ETHNET_HTTP_ADDR=0.0.0.0", last_stage)
        for program in ("ethnet", "EthNetLite"):
            self.assertIn(f"build/release/bin/{program} ", last_stage)

    def test_the_workflow_runs_what_a_developer_runs(self):
        workflow = self.yaml_of(".github/workflows/ci.yml")
        self.assertEqual(set(workflow[True]), {"push", "pull_request"})  # YAML reads `on` as a truth value
        self.assertEqual(workflow["permissions"], {"contents": "read"})
        jobs = {job["name"]: job for job in workflow["jobs"].values()}
        self.assertEqual(set(jobs), {"Build & Test", "Docker Build"})
        steps = [step for job in jobs.values() for step in job["steps"]]
        for step in steps:
            self.assertRegex(step.get("uses", "a@v1"), r"@(v\d+|[0-9a-f]{40})$")
        runs = [step.get("run") for step in jobs["Build & Test"]["steps"]]
        self.assertIn("./dev test", runs)
        self.assertIn("./dev check", runs)
        self.assertIn("docker build -t ethnetlite .", [step.get("run") for step in jobs["Docker Build"]["steps"]])

    def test_actionlint_takes_the_workflow(self):
        if shutil.which("actionlint") is None:
            self.skipTest("actionlint is not installed")
        done = subprocess.run(["actionlint", os.path.join(ROOT, ".github/workflows/ci.yml")], capture_output=True, text=True,
                              timeout=DEADLINE_SECONDS)
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)


if __name__ == "__main__":
    unittest.main()
