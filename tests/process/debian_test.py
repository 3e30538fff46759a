"""The Debian package that cpack makes of the build, and the service in it."""

import os
import re
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(__file__))
from package_test import BUILD, SOURCE  # noqa: E402
from support import BIN, ProcessTest  # noqa: E402

UNIT = os.path.join(SOURCE, "packaging", "ethnet.service")
# Of 10, as `systemd-analyze security` counts what a service could do to its machine.
MOST_EXPOSED = 2.0


class Debian(ProcessTest):
    def said(self, *command):
        done = subprocess.run(command, cwd=self.directory, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
        self.assertEqual(done.returncode, 0, f"{' '.join(command)}\n{done.stdout}")
        return done.stdout

    def test_the_package_holds_the_programs_the_service_and_what_they_depend_on(self):
        # Not packed: that takes longer than all the rest.
        self.said("cpack", "-G", "DEB", "--config", os.path.join(BUILD, "CPackConfig.cmake"), "-B", self.directory,
                  "-D", "CPACK_DEBIAN_COMPRESSION_TYPE=none")
        packages = [name for name in os.listdir(self.directory) if name.endswith(".deb")]
        self.assertEqual(len(packages), 1, packages)
        self.assertRegex(packages[0], r"^ethnet_[\d.]+_\w+\.deb$")
        listing = self.said("dpkg-deb", "-c", packages[0])
        files = {found.group(3): found.group(1) + " " + found.group(2)
                 for found in re.finditer(r"^(\S+) (\S+) .* \./(\S*)$", listing, re.M)}
        for program in ("ethnet", "EthNetLite", "ethnet-sim"):
            self.assertEqual(files.get(f"usr/bin/{program}"), "-rwxr-xr-x root/root", listing)
        for path in ("usr/lib/systemd/system/ethnet.service", "usr/share/doc/ethnet/README.md", "usr/share/doc/ethnet/copyright",
                     "usr/share/ethnet/scenarios/sim/two-rules.yaml", "usr/share/man/man1/ethnet.1",
                     "usr/share/bash-completion/completions/ethnet", "usr/share/bash-completion/completions/ethnet-sim"):
            self.assertEqual(files.get(path), "-rw-r--r-- root/root", listing)
        outside = [path for path in files if path and not path.startswith("usr/")]
        self.assertEqual(outside, [], "a library or a header has no place in it")
        self.assertEqual([path for path in files if path.endswith((".a", ".hpp"))], [])
        fields = self.said("dpkg-deb", "-f", packages[0])
        self.assertRegex(fields, r"(?m)^Package: ethnet$")
        depends = re.search(r"^Depends: (.*)$", fields, re.M).group(1)
        for library in ("libc6", "libgnutls30", "libngtcp2", "libsecp256k1", "libgrpc++"):
            self.assertIn(library, depends)
        control = self.said("dpkg-deb", "-I", packages[0])
        for script in ("postinst", "prerm", "postrm"):
            self.assertIn(script, control)

    def test_the_service_is_one_that_systemd_understands_and_confines(self):
        if shutil.which("systemd-analyze") is None:
            self.skipTest("systemd-analyze is not there")
        # It may not be installed here: the program that was built stands for it.
        text = self.read(UNIT)
        command = re.search(r"^ExecStart=ethnet ", text, re.M)
        self.assertIsNotNone(command)
        self.write("ethnet.service", text.replace(command.group(0), f"ExecStart={os.path.join(BIN, 'ethnet')} "))
        self.assertEqual(self.said("systemd-analyze", "verify", "--man=no", "ethnet.service").strip(), "")
        judged = self.said("systemd-analyze", "security", "--offline=true", "--no-pager", "ethnet.service")
        exposure = re.search(r"Overall exposure level for ethnet\.service: ([\d.]+)", judged)
        self.assertLessEqual(float(exposure.group(1)), MOST_EXPOSED, judged)
        for line in ("DynamicUser=yes", "StateDirectory=ethnet", "ProtectSystem=strict", "NoNewPrivileges=yes",
                     "Restart=on-failure", "LimitNOFILE=65536", "KillSignal=SIGTERM"):
            self.assertRegex(text, rf"(?m)^{line}$")

    def test_what_the_service_runs_starts_in_its_directory_and_ends_at_its_signal(self):
        words = re.search(r"^ExecStart=(.*)$", self.read(UNIT), re.M).group(1)
        words = words.replace("${STATE_DIRECTORY}", self.directory).split()
        node = self.start(*words, environment={"ETHNET_PORT": "0", "ETHNET_ADDR": "127.0.0.1"})
        node.wait_for("Started P2P networking")
        self.stop(node)
        self.assertTrue(os.path.exists(os.path.join(self.directory, "nodekey")))


if __name__ == "__main__":
    unittest.main()
