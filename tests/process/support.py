"""Processes under test: started, read line by line in a thread, waited for with a deadline.

Nothing sleeps: a test waits for a line or for an exit. Every process is killed at the end of its test.
"""

import base64
import fcntl
import json
import os
import pty
import queue
import random
import re
import resource
import signal
import socket
import struct
import subprocess
import tempfile
import termios
import threading
import time

from patient import PatientTest

BIN = os.environ["ETHNET_BIN_DIR"]
DEADLINE_SECONDS = PatientTest.PATIENCE_SECONDS
WITHOUT_DESCRIPTORS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "without_descriptors.supp")
STOPPED = re.compile(r"Stopped\s.*head=(0x[0-9a-f]{64}) height=(\d+) reorgs=(\d+)")


HEAD = r"Head moved\s.*head=(\S+) height=(\d+)"  # at debug level, after the header was stored


class Process:
    def __init__(self, command, directory, environment, limits, terminal):
        def limit():
            for kind, value in limits.items():
                resource.setrlimit(kind, (value, value))
        self.limits = limits
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("ETHNET_")}
        ours, theirs = pty.openpty() if terminal else os.pipe()
        if terminal:
            fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.process = subprocess.Popen([os.path.join(BIN, command[0]), *command[1:]], cwd=directory,
                                        stdout=theirs, stderr=theirs, env={**inherited, **environment},
                                        preexec_fn=limit if limits else None)
        os.close(theirs)
        self.output = os.fdopen(ours, encoding="utf-8", errors="replace", newline="\n")
        self.seen = []
        self._ended = False
        self._lines = queue.Queue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        try:
            for line in self.output:
                self._lines.put(line.rstrip("\r\n"))
        except OSError:  # how a terminal ends
            pass
        self._lines.put(None)

    def wait_for(self, pattern, seconds=DEADLINE_SECONDS):
        """The first line from here on that matches; AssertionError with what was seen otherwise."""
        end = time.monotonic() + seconds
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                line = None
            if line is None:
                self._ended = self.process.poll() is not None
                raise AssertionError(f"no line matches {pattern!r}; seen:\n" + "\n".join(self.seen))
            self.seen.append(line)
            found = re.search(pattern, line)
            if found:
                return found

    def wait_for_file(self, path, seconds=DEADLINE_SECONDS):
        end = time.monotonic() + seconds
        while not os.path.exists(path):
            if time.monotonic() > end:
                raise AssertionError(f"{path} never appeared")

    def next_head(self, seconds=DEADLINE_SECONDS):
        """(short hash, height) of the next head that it says, hence stored."""
        found = self.wait_for(HEAD, seconds)
        return found.group(1), int(found.group(2))

    def said_height(self):
        """The highest head that it said, in all its output, after its end; 0: none."""
        return max((int(height) for _, height in re.findall(HEAD, self.rest())), default=0)

    def cpu_seconds(self):
        """Of all its threads, until now."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def exhaust_descriptors(self):
        """It can open nothing more; restore_descriptors() ends that. Returns how many it has."""
        assert resource.RLIMIT_NOFILE in self.limits, "start it with descriptors=…: a sanitizer must know"
        used = {int(name) for name in os.listdir(f"/proc/{self.process.pid}/fd")}
        lowest_free = next(n for n in range(len(used) + 1) if n not in used)
        _, self.most = resource.prlimit(self.process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(self.process.pid, resource.RLIMIT_NOFILE, (lowest_free, self.most))
        return len(used)

    def restore_descriptors(self):
        resource.prlimit(self.process.pid, resource.RLIMIT_NOFILE, (self.most, self.most))

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def kill(self):
        self.process.kill()
        self.process.wait(DEADLINE_SECONDS)

    def exit_code(self, seconds=DEADLINE_SECONDS):
        return self.process.wait(seconds)

    def rest(self):
        """All output until the end, for a process that ended or is about to."""
        while not self._ended:
            line = self._lines.get(timeout=DEADLINE_SECONDS)
            if line is None:
                self._ended = True
            else:
                self.seen.append(line)
        return "\n".join(self.seen)


class WebSocket:
    """A client (RFC 6455), as much of one as these tests need: text that comes in one frame, pings answered."""

    def __init__(self, connection, host="localhost", origin=None):
        self.connection = connection
        lines = ["GET / HTTP/1.1", f"Host: {host}", "Connection: Upgrade", "Upgrade: websocket",
                 "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: " + base64.b64encode(os.urandom(16)).decode()]
        lines += [f"Origin: {origin}"] if origin else []
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            answer += self._bytes(1)
        self.status = int(answer.split(b" ")[1])
        self._notes = []

    def _bytes(self, count):
        got = b""
        while len(got) < count:
            more = self.connection.recv(count - len(got))
            if not more:
                raise EOFError("the other side has closed it")
            got += more
        return got

    def send(self, payload, kind=1):
        mask = os.urandom(4)
        size = struct.pack(">BH", 0x80 | 126, len(payload)) if len(payload) > 125 else bytes([0x80 | len(payload)])
        masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
        self.connection.sendall(bytes([0x80 | kind]) + size + mask + masked)

    def read(self):
        """The next message, parsed."""
        while True:
            first, size = self._bytes(2)
            if size >= 126:
                size = int.from_bytes(self._bytes(2 if size == 126 else 8), "big")
            payload = self._bytes(size)
            if first == 0x89:
                self.send(payload, 10)
            elif first == 0x81:
                return json.loads(payload)
            else:
                raise EOFError(f"a frame of kind {first:#x}")

    def call(self, method, *params):
        """What it answers; notifications that come before are kept for told()."""
        self.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode())
        while True:
            message = self.read()
            if "id" in message:
                return message["result"]
            self._notes.append(message)

    def told(self, subscription):
        """What the next notification to this subscription says; others are kept."""
        while True:
            for note in self._notes:
                if note["params"]["subscription"] == subscription:
                    self._notes.remove(note)
                    return note["params"]["result"]
            self._notes.append(self.read())


class ProcessTest(PatientTest):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="ethnet-process-")
        self.processes = []

    def tearDown(self):
        for process in self.processes:
            if process.process.poll() is None:
                process.kill()
            process.reader.join(DEADLINE_SECONDS)
            process.output.close()
        subprocess.run(["rm", "-rf", self.directory], check=True)

    def start(self, *command, environment=None, file_size_limit=None, descriptors=None, terminal=False):
        """`terminal`: of 80 columns, else a pipe; `file_size_limit`: the disk is full there;
        `descriptors`: how many files and sockets it may have open; for exhaust_descriptors() it must be named."""
        environment = dict(environment or {})
        if descriptors is not None:
            environment["UBSAN_OPTIONS"] = f"suppressions={WITHOUT_DESCRIPTORS}"
        if file_size_limit is not None:
            environment["LLVM_PROFILE_FILE"] = os.devnull  # the counters of ./dev cov would not fit either
        limits = {resource.RLIMIT_FSIZE: file_size_limit, resource.RLIMIT_NOFILE: descriptors}
        process = Process([str(word) for word in command], self.directory, environment,
                          {kind: value for kind, value in limits.items() if value is not None}, terminal)
        self.processes.append(process)
        return process

    @staticmethod
    def read(path):
        with open(path, encoding="utf-8") as file:
            return file.read()

    def write(self, name, text):
        with open(os.path.join(self.directory, name), "w", encoding="utf-8") as file:
            file.write(text)

    def stop(self, process):
        """Ends it cleanly; (head, height, reorgs) of its last line."""
        process.terminate()
        self.assertEqual(process.exit_code(10), 0, process.rest())
        found = STOPPED.search(process.rest())
        self.assertIsNotNone(found, process.rest())
        return found.group(1), int(found.group(2)), int(found.group(3))

    @staticmethod
    def free_ports(count):
        """Ports of nodes, whose observers listen beside them (+ 1000, + 3000). Below those that the system gives away, so
        that nobody who asks for any port gets one of them meanwhile."""
        with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
            lowest_given = int(file.read().split()[0])
        chosen = []
        for port in random.sample(range(10_000, lowest_given - 3_000), 1_000):
            if len(chosen) == count:
                break
            if all(abs(port - other) not in (1_000, 2_000, 3_000) for other in chosen) and ProcessTest.is_free(port):
                chosen.append(port)
        return chosen

    @staticmethod
    def is_free(port):
        wanted = ((socket.SOCK_DGRAM, port), (socket.SOCK_STREAM, port + 1_000), (socket.SOCK_STREAM, port + 3_000))
        for kind, number in wanted:
            with socket.socket(socket.AF_INET6, kind) as attempt:
                try:
                    attempt.bind(("::", number))
                except OSError:
                    return False
        return True
