"""`ethnet discv5 crawl` and `ethnet discv4 crawl` as their user types them, on nodes of their own on loopback."""

import csv
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import unittest
import urllib.error
import urllib.request

sys.dont_write_bytecode = True
from support import DEADLINE_SECONDS, ProcessTest  # noqa: E402

NODES = 5
# Of a node on loopback whose "tcp" is 65,536, signed by go-ethereum's p2p/enr.
WIDE_PORT = ("d7d5c757ba92696a12e97893f0ef9b6f1a1881b5d6496bddfd29f3070823ea3c",
             "enr:-Iq4QKFCuWkmrSTneVvDv9aEdBvRmXvVjP86cKOUFkPSsErWKejwzvMsUshFRYHQxK3RtkxU9ccHz9UDPezvnuW5PiMBgmlkgnY0gmlwhH8AAA"
             "GJc2VjcDI1NmsxoQIf66_ouXbbB04mMrYG54OmFq2yuiyd5oM3J6GtKqNxV4N0Y3CDAQAAg3VkcAk")
ABSENT = ("enode://ca634cae0d49acb401d8a4c6b6fe8c55b70d115bf400769cc1400f3258cd31387574077f301b421bc84df7266c44e9e6d569fc"
          "56be00812904767bf5ccd1fc7f@127.0.0.1:9")


class Crawl(ProcessTest):
    def network(self, version, count=NODES):
        """So many nodes that know each other through the first; their processes, and their records by id."""
        nodes, records, boot = [], {}, None
        for _ in range(count):
            words = ["--bootnodes", boot] if boot else []
            node = self.start("ethnet", version, "listen", "--addr", "127.0.0.1:0", *words)
            record = node.wait_for(r"^(enr:\S+)$").group(1)
            boot = boot or record
            nodes.append(node)
            records[self.id_of(record)] = record
        for node_id in list(records)[1:]:
            nodes[0].wait_for(rf"^node +0x{node_id} ")
        return nodes, records, boot

    def id_of(self, record):
        told = self.start("ethnet", "enr", "decode", record).rest()
        return re.search(r"node id +0x([0-9a-f]{64})", told).group(1)

    def crawl(self, version, *words, **options):
        return self.start("ethnet", version, "crawl", "--addr", "127.0.0.1:0", "--db", "census.db", *words, **options)

    def finish(self, crawl, status=0):
        text = crawl.rest()
        self.assertEqual(crawl.exit_code(), status, text)
        return text

    def rows(self):
        """Rows of the file by id, as dictionaries."""
        database = sqlite3.connect(f"file:{os.path.join(self.directory, 'census.db')}?mode=ro", uri=True)
        database.row_factory = sqlite3.Row
        try:
            return {row["id"]: dict(row) for row in database.execute("SELECT * FROM nodes")}
        finally:
            database.close()

    def stored(self):
        """How many rows there are, while another process writes: none before the tables are made."""
        try:
            return len(self.rows())
        except sqlite3.OperationalError:
            return 0

    def path(self, name):
        return os.path.join(self.directory, name)

    def check_all_found(self, version):
        nodes, records, boot = self.network(version)
        text = self.finish(self.crawl(version, "--bootnodes", boot, "--json", "nodes.json", "--csv", "nodes.csv"))
        self.assertRegex(text, rf"crawl  {NODES} nodes \({NODES} new\) .* done")
        rows = self.rows()
        self.assertEqual({node_id: row["record"] for node_id, row in rows.items()}, records)
        for row in rows.values():
            self.assertEqual((row["ip"], row["score"], row["first_seen"]), ("127.0.0.1", 1, row["last_seen"]))
        with open(self.path("nodes.json"), encoding="utf-8") as file:
            told = json.load(file)
        self.assertEqual({node_id: node["record"] for node_id, node in told.items()}, records)
        self.assertEqual({node["score"] for node in told.values()}, {1})
        info = self.start("ethnet", "nodeset", "info", "nodes.json")
        self.assertIn(f"nodes {NODES}", self.finish(info))
        with open(self.path("nodes.csv"), encoding="utf-8", newline="") as file:
            lines = list(csv.DictReader(file))
        self.assertEqual({line["id"]: line["record"] for line in lines}, records)
        self.assertEqual({line["udp"] for line in lines}, {str(row["udp"]) for row in rows.values()})
        return nodes

    def test_everybody_is_found_and_written_in_all_forms(self):
        self.check_all_found("discv5")

    def test_discv4_finds_everybody_too(self):
        self.check_all_found("discv4")

    def test_after_kill_9_it_goes_on_with_what_was_stored(self):
        nodes, records, boot = self.network("discv5")
        crawl = self.crawl("discv5", "--bootnodes", boot, "--forever")
        self.until(self.stored, lambda count: count == NODES)
        crawl.kill()
        before = self.rows()
        self.assertEqual(set(before), set(records))
        nodes[-1].kill()
        # No boot node: it goes on with the rows.
        text = self.finish(self.crawl("discv5", "--recheck", "1", "--timeout", "8"))
        self.assertRegex(text, rf"census\.db: {NODES} nodes of earlier runs")
        after = self.rows()
        self.assertEqual(set(after), set(records))
        gone = list(records)[-1]
        for node_id, row in after.items():
            self.assertEqual(row["first_seen"], before[node_id]["first_seen"])
            if node_id == gone:
                self.assertEqual((row["score"], row["last_seen"]), (before[gone]["score"] // 2, before[gone]["last_seen"]))
            else:
                self.assertGreater(row["last_seen"], before[node_id]["last_seen"])

    def test_a_signal_ends_it_in_order_with_everything_stored(self):
        _, records, boot = self.network("discv5", 3)
        crawl = self.crawl("discv5", "--bootnodes", boot, "--forever", "--csv", "nodes.csv")
        self.until(self.stored, lambda count: count == 3)
        crawl.terminate()
        self.finish(crawl)
        self.assertFalse(os.path.exists(self.path("census.db-wal")), "the file is whole by itself")
        self.assertEqual(set(self.rows()), set(records))  # reads, and makes that file again
        with open(self.path("nodes.csv"), encoding="utf-8") as file:
            self.assertEqual(len(file.readlines()), 4)

    def test_a_node_with_a_port_that_is_none_is_left_out_and_counted(self):
        _, records, boot = self.network("discv5", 2)
        node_id, record = WIDE_PORT
        self.write("wide.json", json.dumps({node_id: {"seq": 1, "record": record}}))
        text = self.finish(self.crawl("discv5", "--bootnodes", boot, "--nodes", "wide.json"))
        self.assertRegex(text, r"crawl  2 nodes .*  1 left out: a port that is none  done")
        rows = self.rows()
        self.assertEqual(set(rows), set(records))
        # A row as an earlier version stored it.
        row = rows[next(iter(records))] | {"id": node_id, "record": record, "seq": "1"}
        database = sqlite3.connect(self.path("census.db"))
        marks = ", ".join("?" * len(row))
        database.execute(f"INSERT INTO nodes ({', '.join(row)}) VALUES ({marks})", list(row.values()))
        database.commit()
        database.close()
        os.mkdir(self.path("tree"))
        self.finish(self.crawl("discv5", "--bootnodes", boot, "--json", "tree/nodes.json"))
        with open(self.path("tree/nodes.json"), encoding="utf-8") as file:
            self.assertEqual(set(json.load(file)), set(records))
        self.finish(self.start("ethnet", "key", "new", "tree-key"))
        self.finish(self.start("ethnet", "dns", "sign", "tree", "--key", "tree-key", "--domain", "nodes.test"))

    def test_a_file_that_cannot_be_written_at_the_end_is_named_with_its_flag(self):
        _, records, boot = self.network("discv5", 2)
        text = self.finish(self.crawl("discv5", "--bootnodes", boot, "--json", "nodes.json", "--csv", "/dev/full"), 1)
        self.assertIn("ethnet: --csv: cannot write /dev/full: No space left on device", text)
        with open(self.path("nodes.json"), encoding="utf-8") as file:
            self.assertEqual(set(json.load(file)), set(records))
        self.assertEqual([name for name in os.listdir(self.directory) if ".part" in name], [])

    def test_an_output_that_fails_keeps_the_other_from_nothing(self):
        _, _, boot = self.network("discv5", 2)
        for words in (("--json", "/dev/full", "--csv", "nodes.csv"), ("--csv", "/dev/full", "--json", "nodes.json")):
            text = self.finish(self.crawl("discv5", "--bootnodes", boot, *words), 1)
            self.assertIn(f"ethnet: {words[0]}: cannot write /dev/full: No space left on device", text)
            self.assertTrue(os.path.getsize(self.path(words[3])), text)
        text = self.finish(self.crawl("discv5", "--bootnodes", boot, "--json", "/dev/full", "--csv", "/dev/full"), 1)
        for flag in ("--json", "--csv"):
            self.assertIn(f"ethnet: {flag}: cannot write /dev/full: No space left on device", text)
        command = self.start("ethnet", "discv4", "crawl", "--db", "x.db", "--bootnodes", ABSENT,
                             "--json", "none/x.json", "--csv", "none/x.csv")
        text = self.finish(command, 1)
        for flag, name in (("--json", "x.json"), ("--csv", "x.csv")):
            self.assertIn(f"ethnet: {flag}: cannot write none/{name}: No such file or directory", text)
        self.assertNotIn("crawl  ", text, "it is told before the work")
        for flag in ("--json", "--csv"):
            text = self.finish(self.start("ethnet", "discv4", "crawl", "--db", "x.db", "--bootnodes", ABSENT, flag, ""), 1)
            self.assertEqual(text.strip(), f"ethnet: {flag}: no file is named: the path is empty (see --help)")

    def test_while_another_process_holds_the_lock_what_is_found_waits(self):
        _, records, boot = self.network("discv5", 2)
        crawl = self.crawl("discv5", "--bootnodes", boot, "--forever", "--recheck", "1")
        self.until(self.stored, lambda count: count == 2)
        before = self.rows()
        other = sqlite3.connect(self.path("census.db"), timeout=DEADLINE_SECONDS, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        crawl.wait_for(r"^census\.db: another process holds its lock; what is found waits$")
        crawl.terminate()
        other.execute("ROLLBACK")
        other.close()
        self.finish(crawl)
        after = self.rows()
        self.assertEqual(set(after), set(records))
        self.assertGreater(sum(row["score"] for row in after.values()), sum(row["score"] for row in before.values()))

    def test_a_terminal_gets_one_line_that_is_drawn_over(self):
        _, _, boot = self.network("discv5", 2)
        crawl = self.crawl("discv5", "--bootnodes", boot, terminal=True)
        text = self.finish(crawl)
        self.assertRegex(text, r"\r.*crawl  \d nodes")
        self.assertRegex(text, r"crawl  2 nodes \(2 new\) .* done$")

    def get(self, base, path, host=None):
        request = urllib.request.Request(base + path, headers={"Host": host} if host else {})
        with urllib.request.urlopen(request, timeout=DEADLINE_SECONDS) as answer:
            return answer.read().decode()

    def test_it_is_served_over_http_with_filters(self):
        _, records, boot = self.network("discv5", 3)
        crawl = self.crawl("discv5", "--bootnodes", boot, "--serve", "127.0.0.1:0", "--http.vhosts",
                           "census.example,other.example")
        base = crawl.wait_for(r"serving (http://127\.0\.0\.1:\d+/)$").group(1)
        told = self.until(lambda: json.loads(self.get(base, "nodes.json")), lambda t: len(t["nodes"]) == 3)
        self.assertEqual({node["id"]: node["record"] for node in told["nodes"]}, records)
        self.assertEqual(json.loads(self.get(base, "nodes.json?network=mainnet"))["nodes"], [])
        self.assertEqual(json.loads(self.get(base, "statistics.json?network="))["nodes"], 3)
        first = json.loads(self.get(base, "nodes.json?limit=2"))
        self.assertEqual(len(json.loads(self.get(base, f"nodes.json?limit=2&after={first['next']}"))["nodes"]), 1)
        page = self.get(base, "")
        for name in re.findall(r'(?:href|src)="([a-z.]+)"', page):
            self.assertTrue(self.get(base, name), name)
        with self.assertRaises(urllib.error.HTTPError) as refused:
            self.get(base, "nodes.json", host="evil.example")
        self.assertEqual(refused.exception.code, 403)
        self.assertIn("--http.vhosts", refused.exception.read().decode())
        self.assertEqual(len(json.loads(self.get(base, "nodes.json", host="Other.example:1"))["nodes"]), 3)
        crawl.terminate()
        self.finish(crawl)

    def test_the_page_draws_what_was_found_and_texts_stay_texts(self):
        browser = shutil.which("chromium")
        if browser is None:
            self.skipTest("no Chromium here: ./dev setup installs it")
        _, records, boot = self.network("discv5", 3)
        crawl = self.crawl("discv5", "--bootnodes", boot, "--serve", "127.0.0.1:0")
        base = crawl.wait_for(r"serving (http://127\.0\.0\.1:\d+/)$").group(1)
        self.until(self.stored, lambda count: count == 3)
        hostile = "<img src=x onerror=document.title=1>"
        database = sqlite3.connect(self.path("census.db"), timeout=DEADLINE_SECONDS)
        database.execute("UPDATE nodes SET client = ? WHERE id = ?", (hostile, next(iter(records))))
        database.commit()
        database.close()
        drawn = subprocess.run([browser, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=4000",
                                f"--user-data-dir={self.path('browser')}", "--dump-dom", base], check=True,
                               capture_output=True, text=True, timeout=2 * DEADLINE_SECONDS).stdout
        self.assertIn("<title>Census of the network</title>", drawn)
        self.assertRegex(drawn, r"<dt>nodes</dt><dd>3</dd>")
        self.assertRegex(drawn, r'data-filter="network" data-value="none".*<span class="bar" style="width: 100%;">')
        self.assertEqual(drawn.count("<tr>"), 4)
        self.assertIn("&lt;img src=x onerror=document.title=1&gt;", drawn)
        self.assertNotIn("<img", drawn)
        crawl.terminate()
        self.finish(crawl)

    def test_bad_files_and_flags_are_one_clear_line(self):
        self.write("text.db", "this is a text file, and rather longer than the header of a database is, by far")
        other = sqlite3.connect(self.path("other.db"))
        other.execute("CREATE TABLE nodes (id)")
        other.close()
        os.mkdir(self.path("folder.db"))
        for words, why in (
                (("--db", "text.db", "--bootnodes", ABSENT), "text.db: not a database"),
                (("--db", "other.db", "--bootnodes", ABSENT), "other.db: a database of another program"),
                (("--db", "folder.db", "--bootnodes", ABSENT), "folder.db: unable to open database file"),
                (("--db", "x.db"), "--bootnodes, --nodes: with whom to begin?"),
                (("--db", "x.db", "--nodes", "none.json"), "cannot read none.json"),
                (("--db", "x.db", "--bootnodes", ABSENT), "nobody answered"),
                (("--db", "x.db", "--bootnodes", "enr:abc"), "--bootnodes enr:abc: not a valid node record"),
                (("--db", "x.db", "--bootnodes", ABSENT, "--serve", "here"), "--serve: 'here'"),
                (("--db", "x.db", "--bootnodes", ABSENT, "--csv", "folder.db"), "--csv: cannot write folder.db: Is a directory"),
                (("--db", "x.db", "--bootnodes", ABSENT, "--json", "none/x.json"),
                 "--json: cannot write none/x.json: No such file or directory")):
            command = self.start("ethnet", "discv4", "crawl", "--addr", "127.0.0.1:0", *words)
            told = self.finish(command, 1).split("\n")
            self.assertTrue(told[-1].startswith(f"ethnet: {why}"), told)
        with open(self.path("text.db"), encoding="utf-8") as file:
            self.assertTrue(file.read().startswith("this is a text file"))


if __name__ == "__main__":
    unittest.main()
