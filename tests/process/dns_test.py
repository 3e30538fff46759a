"""`ethnet dns` as a person uses it: a tree is signed, checked, printed for a zone, served, and read again."""

import json
import os
import re
import shutil
import sys
import unittest

sys.path.insert(0, os.path.dirname(__file__))
from name_server import NameServer  # noqa: E402
from support import ProcessTest  # noqa: E402

# A tree of 20 nodes and a link as go-ethereum v1.17.8 makes, signs and writes it: nodes.json and enrtree-info.json as its
# devp2p tool has them, texts.json as it prints them for a zone. Two levels of branches.
TREE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "geth_tree")
NODES = 20
# Of a node whose "tcp" is 65,536, signed by go-ethereum's p2p/enr.
WIDE_PORT = {"id": "d7d5c757ba92696a12e97893f0ef9b6f1a1881b5d6496bddfd29f3070823ea3c",
             "record": "enr:-Iy4QG3JNrGy65Z4G4b8InlkeSkg2-Mv9QDsAjLuiNiqkP5mJbMDaU3t4WkHCgqNdbrBpr50sUT3wYnj5Q0-RiOVihQBgmlkgnY0gmlw"
                       "hAgBAgOJc2VjcDI1NmsxoQIf66_ouXbbB04mMrYG54OmFq2yuiyd5oM3J6GtKqNxV4N0Y3CDAQAAg3VkcIJ2Xw"}
KEY = f"{1_000_001:064x}"  # signed it


class Dns(ProcessTest):
    def setUp(self):
        super().setUp()
        self.server = NameServer()
        self.addCleanup(self.server.close)
        shutil.copytree(TREE, os.path.join(self.directory, "tree"))
        self.url = self.read_json("tree", "enrtree-info.json")["url"]
        self.write_key("tree-key", KEY)

    def write_key(self, name, digits):
        self.write(name, digits + "\n")
        os.chmod(os.path.join(self.directory, name), 0o600)

    def run_tool(self, *command, code=0):
        process = self.start("ethnet", *command)
        self.assertEqual(process.exit_code(), code, process.rest())
        return process.rest()

    def value(self, output, name):
        """What stands beside this name in the table that a command prints."""
        values = re.findall(rf"^{name} {{2,}}(.*)$", output, re.M)
        self.assertEqual(len(values), 1, output)
        return values[0]

    def publish(self, folder="tree"):
        """Serves what the folder has; returns it."""
        texts = json.loads(self.run_tool("dns", "to-zone", folder, "--json"))
        self.server.publish(texts)
        return texts

    def sync(self, folder, url=None, code=0):
        return self.run_tool("dns", "sync", url or self.url, folder, "--dns-server", self.server.address, "--rate", 1000,
                             code=code)

    def read_json(self, *path):
        return json.loads(self.read(os.path.join(self.directory, *path)))

    def test_a_tree_of_geth_is_checked_printed_and_signed_as_geth_does(self):
        verified = self.run_tool("dns", "verify", "tree")
        self.assertEqual([self.value(verified, name) for name in ("url", "sequence", "nodes", "links", "signature")],
                         [self.url, "3", str(NODES), "1", "valid"])
        theirs = self.read_json("tree", "texts.json")
        self.assertEqual(json.loads(self.run_tool("dns", "to-zone", "tree", "--json")), theirs)
        before = self.read_json("tree", "enrtree-info.json")
        os.remove(os.path.join(self.directory, "tree", "enrtree-info.json"))
        self.write("tree/enrtree-info.json", json.dumps({"seq": 2, "links": before["links"]}))
        signed = self.run_tool("dns", "sign", "tree", "--key", "tree-key", "--domain", "nodes.test")
        self.assertEqual(self.value(signed, "url"), self.url)
        after = self.read_json("tree", "enrtree-info.json")
        self.assertEqual(after | {"lastModified": ""}, before | {"lastModified": ""})

    def test_a_tree_is_served_and_read_again(self):
        links = [self.url.replace("nodes.test", name) for name in ("z.test", "a.test", "m.test")]
        info = self.read_json("tree", "enrtree-info.json")
        self.write("tree/enrtree-info.json", json.dumps(info | {"links": links}))
        self.assertIn("signature is not of this content", self.run_tool("dns", "verify", "tree", code=1))
        self.run_tool("dns", "sign", "tree", "--key", "tree-key")
        self.publish()
        said = self.sync("copy")
        self.assertEqual((self.value(said, "nodes"), self.value(said, "skipped")), (str(NODES), "0"))
        # The nodes, two branches and their top; three links and theirs; the root.
        self.assertEqual(len(self.server.asked), NODES + 3 + 4 + 1)
        copy, nodes = self.read_json("copy", "nodes.json"), self.read_json("tree", "nodes.json")
        self.assertEqual({name: node["record"] for name, node in copy.items()},
                         {name: node["record"] for name, node in nodes.items()})
        self.assertEqual(list(copy), sorted(copy))
        theirs, ours = self.read_json("copy", "enrtree-info.json"), self.read_json("tree", "enrtree-info.json")
        self.assertEqual(theirs | {"lastModified": ""}, ours | {"lastModified": ""})
        self.assertEqual(theirs["links"], links)
        self.assertIn("signature   valid", self.run_tool("dns", "verify", "copy"))

    def test_a_terminal_sees_how_far_it_is_and_a_pipe_does_not(self):
        self.publish()
        for terminal in (True, False):
            process = self.start("ethnet", "dns", "sync", self.url, "copy", "--dns-server", self.server.address, "--rate", 1000,
                                 terminal=terminal)
            self.assertEqual(process.exit_code(), 0, process.rest())
            shown = re.findall(r"nodes\.test: (\d+) nodes, (\d+) questions", process.rest())
            self.assertEqual(bool(shown), terminal, process.rest())
            self.assertEqual([int(nodes) for nodes, _ in shown], sorted(int(nodes) for nodes, _ in shown))

    def test_the_zone_file_says_the_same_as_the_texts(self):
        lines = self.run_tool("dns", "to-zone", "tree").splitlines()
        self.assertEqual(lines[0], "$ORIGIN nodes.test.")
        zone = {}
        for line in lines[1:]:
            name, ttl, kind, what, content = line.split(" ", 4)
            self.assertTrue(int(ttl) > 0 and (kind, what) == ("IN", "TXT"))
            parts = content[1:-1].split('" "')
            self.assertTrue(all(len(part) <= 255 for part in parts), line)
            zone["nodes.test" if name == "@" else f"{name}.nodes.test"] = "".join(parts)
        self.assertEqual(zone, self.read_json("tree", "texts.json"))

    def test_a_bad_entry_is_skipped_and_named_and_the_rest_is_read(self):
        texts = self.read_json("tree", "texts.json")
        records = [name for name, text in texts.items() if text.startswith("enr:")]
        texts[records[0]] = texts[records[1]]  # has not the hash that names it
        del texts[records[2]]
        self.server.publish(texts)
        self.server.failing.add(records[3].lower())
        said = self.sync("copy", code=2)
        self.assertEqual((self.value(said, "nodes"), self.value(said, "skipped")), (str(NODES - 3), "3"))
        self.assertIn(f"skipped {records[0]}: dns: content is not that of the hash", said)
        self.assertIn(f"skipped {records[2]}: name without a TXT record", said)
        self.assertIn(f"skipped {records[3]}: no answer from the resolver", said)

    def test_a_lower_number_and_another_key_are_refused(self):
        old = self.read_json("tree", "texts.json")
        self.run_tool("dns", "sign", "tree", "--key", "tree-key", "--seq", 7)
        self.publish()
        self.sync("copy")
        self.server.publish(old)
        before = self.read_json("copy", "enrtree-info.json")
        self.assertIn("lower sequence number", self.sync("copy", code=1))
        self.assertEqual(self.read_json("copy", "enrtree-info.json"), before)
        self.assertIn("takes it back", self.run_tool("dns", "sign", "tree", "--key", "tree-key", "--seq", 6, code=1))
        self.write_key("other-key", "01" * 32)
        self.run_tool("dns", "sign", "copy", "--key", "other-key")
        other = self.read_json("copy", "enrtree-info.json")["url"]
        self.assertNotEqual(other, self.url)
        self.assertIn("not signed by the key", self.sync("third", url=other, code=1))
        self.assertFalse(os.path.exists(os.path.join(self.directory, "third")))

    def test_a_text_that_does_not_fit_into_a_datagram_comes_over_tcp(self):
        self.publish()
        self.server.texts["nodes.test"].insert(0, "something else " * 40)
        self.assertEqual(self.value(self.sync("copy"), "nodes"), str(NODES))
        self.assertEqual(self.server.over_tcp, ["nodes.test"])

    def test_a_node_with_a_port_that_is_none_is_named_when_a_tree_is_signed(self):
        nodes = self.read_json("tree", "nodes.json")
        nodes[WIDE_PORT["id"]] = {"seq": 1, "record": WIDE_PORT["record"]}
        self.write("tree/nodes.json", json.dumps(nodes))
        before = self.read_json("tree", "enrtree-info.json")
        said = self.run_tool("dns", "sign", "tree", "--key", "tree-key", code=1)
        self.assertEqual(len(said.splitlines()), 1, said)
        self.assertIn(f"node {WIDE_PORT['id']}: 'tcp' in its record is no port", said)
        self.assertEqual(self.read_json("tree", "enrtree-info.json"), before)
        del nodes[WIDE_PORT["id"]]
        self.write("tree/nodes.json", json.dumps(nodes))
        self.run_tool("dns", "sign", "tree", "--key", "tree-key")

    def test_errors_are_one_clear_line(self):
        for folder, nodes in (("bad", {"00": {"seq": 1, "record": "enr:-x"}}), ("empty", {})):
            os.mkdir(os.path.join(self.directory, folder))
            self.write(f"{folder}/nodes.json", json.dumps(nodes))
        shutil.copytree(os.path.join(self.directory, "tree"), os.path.join(self.directory, "wrong"))
        nodes = self.read_json("tree", "nodes.json")
        nodes[next(iter(nodes))]["seq"] = 99
        self.write("wrong/nodes.json", json.dumps(nodes))
        unused = self.free_ports(1)[0]
        none = self.url.replace("nodes.test", "none.test")
        for command, message in (
                (("sign", "none", "--key", "tree-key"), "cannot read none/nodes.json"),
                (("sign", "bad", "--key", "tree-key"), "node 00: base64url"),
                (("sign", "wrong", "--key", "tree-key"), "'seq' is not that of the record"),
                (("sign", "tree", "--key", "tree-key", "--domain", "a b"), "not a domain name"),
                (("verify", "empty"), "not signed yet"),
                (("to-zone", "empty"), "not signed yet"),
                (("sync", "https://nodes.test"), "expected enrtree://KEY@DOMAIN"),
                (("sync", none, "--dns-server", self.server.address), "name without a TXT record"),
                (("sync", none, "--dns-server", f"127.0.0.1:{unused}", "--timeout", 0.1), "no answer from the resolver"),
                (("sync", none, "--dns-server", "nowhere"), "expected ADDRESS:PORT")):
            said = self.run_tool("dns", *command, code=1)
            self.assertEqual(len(said.splitlines()), 1, said)
            self.assertTrue(said.startswith("ethnet: ") and message in said, said)


if __name__ == "__main__":
    unittest.main()
