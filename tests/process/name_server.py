"""A name server on loopback, UDP and TCP on one port, that has TXT and A records (RFC 1035). What does not fit into 512
bytes is truncated over UDP, and asked for again over TCP."""

import errno
import socket
import struct
import threading

UDP_BYTES = 512
A, TXT = 1, 16  # types


def strings(text):
    parts = [text[i:i + 255].encode() for i in range(0, len(text), 255)]
    return b"".join(bytes([len(part)]) + part for part in parts)


def one_port():
    """A UDP and a TCP socket on a port that is free for both: the kernel draws one for UDP, and a TCP connection of somebody
    else may have the same. What was drawn in vain is held until the end, so that it is not drawn again."""
    drawn = []
    try:
        while True:
            drawn.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            drawn[-1].bind(("127.0.0.1", 0))
            try:
                tcp = socket.create_server(drawn[-1].getsockname())
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
            else:
                return drawn.pop(), tcp
    finally:
        for udp in drawn:
            udp.close()


class NameServer:
    def __init__(self):
        self.texts = {}  # name -> [text]
        self.addresses = {}  # name -> IPv4, for questions of the type A
        self.failing = set()  # names for which it says that it failed
        self.asked = []
        self.over_tcp = []
        self.udp, self.tcp = one_port()
        self.port = self.udp.getsockname()[1]
        self.threads = [threading.Thread(target=target, daemon=True) for target in (self._serve_udp, self._serve_tcp)]
        for thread in self.threads:
            thread.start()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def publish(self, texts):
        self.texts = {name.lower(): [text] for name, text in texts.items()}

    def close(self):
        for server in (self.udp, self.tcp):
            server.shutdown(socket.SHUT_RDWR) if server is self.tcp else self.udp.sendto(b"", self.udp.getsockname())
        for thread in self.threads:
            thread.join()
        self.udp.close()
        self.tcp.close()

    def _serve_udp(self):
        while True:
            question, sender = self.udp.recvfrom(4096)
            if not question:
                return
            answer = self._answer(question, self.asked)
            if len(answer) > UDP_BYTES:
                head = struct.unpack(">6H", answer[:12])
                answer = struct.pack(">6H", head[0], head[1] | 0x0200, 1, 0, 0, 0) + question[12:]
            self.udp.sendto(answer, sender)

    def _serve_tcp(self):
        while True:
            try:
                connection, _ = self.tcp.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as stream:
                while len(size := stream.read(2)) == 2:
                    answer = self._answer(stream.read(int.from_bytes(size, "big")), self.over_tcp)
                    connection.sendall(len(answer).to_bytes(2, "big") + answer)

    def _answer(self, question, asked):
        labels, at = [], 12
        while question[at]:
            labels.append(question[at + 1:at + 1 + question[at]].decode())
            at += 1 + question[at]
        name = ".".join(labels).lower()
        asked.append(name)
        kind = int.from_bytes(question[at + 1:at + 3], "big")
        known = self.texts.keys() | self.addresses.keys()
        found = []
        if name not in self.failing and kind == TXT:
            found = [strings(text) for text in self.texts.get(name, [])]
        elif name not in self.failing and kind == A and name in self.addresses:
            found = [socket.inet_aton(self.addresses[name])]
        code = 2 if name in self.failing else 0 if name in known else 3
        answer = question[:2] + struct.pack(">5H", 0x8180 | code, 1, len(found), 0, 0) + question[12:at + 5]
        for data in found:
            answer += struct.pack(">HHHIH", 0xC00C, kind, 1, 60, len(data)) + data
        return answer
