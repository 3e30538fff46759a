"""bench/compare: every row once with tiny counts. What is checked is that both sides make the same bytes of the same
input (the program ends otherwise) and that no row is left out; times say nothing here."""

import os
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
from support import BIN, ProcessTest  # noqa: E402

ROOT = os.environ["ETHNET_SOURCE_DIR"]
GETH = os.path.join(ROOT, "build", "tools", "geth_bench")
VECTORS = os.environ.get("ETHNET_VECTORS", os.path.join(os.path.dirname(ROOT), "shared", "vectors"))
ROWS = 20  # with AVX-512 one more


def needs_geth():
    return unittest.skipUnless(
        os.access(GETH, os.X_OK) and os.path.isdir(VECTORS),
        "no go-ethereum (./dev setup interop builds it where Go is installed), or no shared/vectors",
    )


def needs_npm(name):
    there = os.path.exists(os.path.join(ROOT, "tests", "interop", name, "node_modules", ".package-lock.json"))
    return unittest.skipUnless(there, f"no {name}: ./dev setup interop installs it where npm is")


class Compare(ProcessTest):
    def rows(self, *options):
        """The cells of each row."""
        command = [os.path.join(BIN, "compare_bench"), "--smoke", "--vectors", VECTORS, "--dir", self.directory]
        done = subprocess.run([*command, *options], capture_output=True, text=True, timeout=250)
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = [line for line in done.stdout.splitlines() if line.startswith("| ")]
        return [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines[1:]]

    def peers_row(self, name, what):
        script = os.path.join(ROOT, "bench", "compare", f"{name}.mjs")
        rows = [row for row in self.rows(f"--peer-{name}", script, what) if "not run" not in row]
        self.assertEqual(len(rows), 1)
        self.assertIn("x (", rows[0][4])

    @needs_geth()
    def test_every_row_with_go_ethereum(self):
        rows = self.rows("--peer-geth", GETH)
        self.assertGreaterEqual(len(rows), ROWS, rows)
        left_out = [row[2] for row in rows if "not run" in " ".join(row)]
        self.assertEqual(left_out, ["ChainSafe enr", "EthereumJS devp2p"])
        for row in rows[:2]:
            self.assertIn("(no allocation)", row[0])

    @needs_npm("chainsafe")
    def test_records_with_chainsafe(self):
        self.peers_row("chainsafe", "beside ChainSafe")

    @needs_npm("ethereumjs")
    def test_packets_with_ethereumjs(self):
        self.peers_row("ethereumjs", "beside EthereumJS")

    def test_a_peer_that_is_not_there_is_not_run(self):
        rows = self.rows("Keccak")
        self.assertTrue(any(row[0] == "Keccak-256 of 32 bytes" and row[3] == "not run" for row in rows), rows)


if __name__ == "__main__":
    unittest.main()
