"""A DNS server that hands each question on to who answers for its name, or to nobody.

A CA asks one resolver. Here certherd itself answers for some zones and the hosts of AWS for the
others: the relay is both resolver and every name server, and what it keeps to itself is a server
that cannot be reached.
"""

import socket
import socketserver
import struct
import threading
from concurrent.futures import ThreadPoolExecutor

HOSTS = "127.0.0.1"
REGISTRY = "127.0.0.2"  # of tests/aws/zone_server.py
PATIENCE = 3
AT_ONCE = 32
HEADER = 12

Address = tuple[str, int]


def asked_name(wire: bytes) -> str:
    """The name of the first question, in lower case; empty when there is none."""
    labels, at = [], HEADER
    while at < len(wire) and wire[at]:
        labels.append(wire[at + 1 : at + 1 + wire[at]])
        at += 1 + wire[at]
    return b".".join(labels).decode("ascii", "replace").lower()


class _TcpHandler(socketserver.StreamRequestHandler):
    timeout = 10

    def handle(self) -> None:
        try:
            while len(size := self.rfile.read(2)) == 2:
                wire = self.rfile.read(struct.unpack("!H", size)[0])
                upstream = self.server.relay.upstream(wire, self.server.server_address)
                if upstream is None:
                    return
                with socket.create_connection(upstream, PATIENCE) as there:
                    there.sendall(size + wire)
                    answer = there.makefile("rb")
                    size = answer.read(2)
                    self.wfile.write(size + answer.read(struct.unpack("!H", size)[0]))
        except (OSError, struct.error):  # one of both has gone
            return


class _TcpServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 1024

    def __init__(self, address: Address, relay: "Relay") -> None:
        super().__init__(address, _TcpHandler)
        self.relay = relay


class Relay:
    """Serves on both addresses, in threads, until the process ends."""

    def __init__(self, port: int, zone: str, responder: Address, aws: Address) -> None:
        self.port = port
        self.silent: set[str] = set()  # of "responder" and "aws": who cannot be reached now
        self._zone = zone
        self._responder = responder
        self._aws = aws
        self._pool = ThreadPoolExecutor(AT_ONCE)
        for address in (HOSTS, REGISTRY):
            udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            udp.bind((address, port))
            tcp = _TcpServer((address, port), self)
            threading.Thread(target=self._serve_udp, args=(udp,), daemon=True).start()
            threading.Thread(target=tcp.serve_forever, daemon=True).start()

    def upstream(self, wire: bytes, asked: Address) -> Address | None:
        """Who answers what was asked of that address of ours; nobody when it is silent."""
        name = asked_name(wire)
        own = ("." + name).endswith("." + self._zone)
        if own and asked[0] == HOSTS:
            return None if "responder" in self.silent else self._responder
        return None if "aws" in self.silent else (asked[0], self._aws[1])

    def _serve_udp(self, udp: socket.socket) -> None:
        while True:
            wire, sender = udp.recvfrom(65_535)
            self._pool.submit(self._hand_on, udp, wire, sender)

    def _hand_on(self, udp: socket.socket, wire: bytes, sender: Address) -> None:
        upstream = self.upstream(wire, udp.getsockname())
        if upstream is None:
            return
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as there:
            there.settimeout(PATIENCE)
            try:
                there.sendto(wire, upstream)
                udp.sendto(there.recv(65_535), sender)
            except OSError:  # nobody there: who asked will ask again
                return
