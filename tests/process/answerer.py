"""Servers on loopback that answer datagrams, and what a gateway that speaks NAT-PMP answers."""

import socket
import struct
import threading


class Answerer:
    """A UDP server on loopback: what `answer` makes of a question goes back; None: nothing."""

    def __init__(self, answer, ip="127.0.0.1", port=0):
        self.asked = []
        self.answer = answer
        self.ip = ip
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((ip, port))
        self.port = self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def close(self):
        self.socket.sendto(b"", (self.ip, self.port))
        self.thread.join()
        self.socket.close()

    def _serve(self):
        while True:
            question, sender = self.socket.recvfrom(2048)
            if not question:
                return
            self.asked.append(question)
            answer = self.answer(question)
            if answer is not None:
                self.socket.sendto(answer, sender)


def pmp_answer(question):
    """RFC 6886: 60.1.1.9, and the external ports 40000 and 40001 in the order in which they are first asked for."""
    if question[1] == 0:
        return struct.pack(">BBHI", 0, 128, 0, 1) + bytes([60, 1, 1, 9])
    internal = question[4:6]
    external = PMP_PORTS.setdefault(internal, 40_000 + len(PMP_PORTS))
    return struct.pack(">BBHI", 0, 129, 0, 1) + internal + struct.pack(">HI", external, 7_200)


def is_request(question):
    return question[:2] == b"\x00\x01" and question[8:12] != bytes(4)


def is_release(question):
    return question[:2] == b"\x00\x01" and question[8:12] == bytes(4)


PMP_PORTS = {}
