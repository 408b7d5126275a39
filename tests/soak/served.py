"""What is served: looks at each name by TLS about once a second, as any client would."""

import datetime
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

EVERY = 1.0
PATIENCE = 2.0
SEQUENCE, UTC_TIME, EXPLICIT_0 = 0x30, 0x17, 0xA0
CA = b"Pebble"


@dataclass(frozen=True)
class Leaf:
    serial: int
    not_after: float
    is_ours: bool
    """Of our CA: not what the edge began with."""


def _element(data: bytes, at: int) -> tuple[int, bytes, int]:
    """Tag, content and end of the DER element that begins there."""
    tag, length = data[at], data[at + 1]
    at += 2
    if length & 0x80:
        size = length & 0x7F
        length = int.from_bytes(data[at : at + size])
        at += size
    return tag, data[at : at + length], at + length


def read_leaf(der: bytes) -> Leaf:
    """Serial number, issuer and end of a certificate (RFC 5280 section 4.1)."""
    _, certificate, _ = _element(der, 0)
    _, body, _ = _element(certificate, 0)
    elements, at = [], 0
    while at < len(body):
        tag, content, at = _element(body, at)
        elements.append((tag, content))
    if elements[0][0] == EXPLICIT_0:  # the version
        del elements[0]
    (_, serial), _, (_, issuer), (_, validity) = elements[:4]
    _, _, end = _element(validity, 0)
    tag, moment, _ = _element(validity, end)
    form = "%y%m%d%H%M%SZ" if tag == UTC_TIME else "%Y%m%d%H%M%SZ"
    not_after = datetime.datetime.strptime(moment.decode(), form).replace(tzinfo=datetime.UTC)
    return Leaf(int.from_bytes(serial), not_after.timestamp(), CA in issuer)


class Watch(threading.Thread):
    """Tells `expired` of each look at a name whose certificate had ended before the look began:
    the name, the moment of the look, and that of the end."""

    def __init__(
        self,
        port: int,
        names: Callable[[], list[str]],
        expired: Callable[[str, float, float], None],
    ) -> None:
        super().__init__(daemon=True)
        self.looks = 0
        self.unanswered = 0
        self.least_left = float("inf")
        self.serials: dict[str, set[int]] = {}
        self._port = port
        self._names = names
        self._expired = expired
        self._over = threading.Event()
        self._tls = ssl.create_default_context()
        self._tls.check_hostname = False
        self._tls.verify_mode = ssl.CERT_NONE

    def end(self) -> None:
        self._over.set()
        self.join()

    def run(self) -> None:
        while not self._over.is_set():
            begin = time.time()
            for name in self._names():
                if self._over.is_set():
                    return
                self._look(name)
            self._over.wait(max(0.05, EVERY - (time.time() - begin)))

    def _look(self, name: str) -> None:
        now = time.time()
        self.looks += 1
        try:
            with socket.create_connection(("127.0.0.1", self._port), PATIENCE) as plain:
                with self._tls.wrap_socket(plain, server_hostname=name) as connection:
                    leaf = read_leaf(connection.getpeercert(binary_form=True))
        except OSError:
            self.unanswered += 1
            return
        if not leaf.is_ours:
            return
        self.serials.setdefault(name, set()).add(leaf.serial)
        self.least_left = min(self.least_left, leaf.not_after - now)
        if leaf.not_after < now:
            self._expired(name, now, leaf.not_after)
