"""A DNS server for the hosted zones of moto, so that a CA can see what was written into them.

On one address it is the name servers of all zones (a question without RD) and a resolver (with
RD). On a second address it is the registry: it serves the top-level domains of all zones, and
delegates from them. The comment of a zone may say how: "not delegated", or "delegated to
ns1.example.net ns2.example.net".
"""

import errno
import re
import socket
import socketserver
import struct
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from dnslib import (
    AAAA,
    CNAME,
    EDNS0,
    NS,
    QTYPE,
    RCODE,
    RR,
    SOA,
    TXT,
    A,
    DNSHeader,
    DNSRecord,
)
from moto.route53.models import FakeZone, RecordSet, Route53Backend

from route53_rules import normal_name

REGISTRY_NAME = "ns.registry.test."
HOSTS = "127.0.0.1"
REGISTRY = "127.0.0.2"
PLAIN_UDP_SIZE = 512  # RFC 1035 section 4.2.1
MAX_CNAMES = 8

_QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*)"')
_ESCAPE = re.compile(rb"\\([0-7]{3}|.)")


def txt_strings(value: str) -> list[bytes]:
    """The strings of a value in Route 53's form: quoted, odd octets as \\ooo."""

    def plain(match: re.Match[bytes]) -> bytes:
        escaped = match.group(1)
        return bytes([int(escaped, 8)]) if len(escaped) == 3 else escaped

    return [_ESCAPE.sub(plain, text) for text in _QUOTED.findall(value.encode())]


def _soa(value: str) -> SOA:
    primary, contact, *times = value.split()
    return SOA(primary, contact, tuple(int(time) for time in times))


_RDATA: dict[str, Callable[[str], object]] = {
    "A": A,
    "AAAA": AAAA,
    "CNAME": CNAME,
    "NS": NS,
    "SOA": _soa,
    "TXT": lambda value: TXT(txt_strings(value)),
}


def _records(record_set: RecordSet) -> list[RR]:
    make = _RDATA[record_set.type]
    kind = getattr(QTYPE, record_set.type)
    # The SOA record that moto itself makes has its value one level deeper.
    values = [each["Value"] if isinstance(each, dict) else each for each in record_set.records]
    return [
        RR(normal_name(record_set.name), kind, rdata=make(value), ttl=int(record_set.ttl))
        for value in values
    ]


def _is_within(name: str, zone: str) -> bool:
    return ("." + name).endswith("." + zone)


def top_level(name: str) -> str:
    return normal_name(name.rstrip(".").rpartition(".")[2])


@dataclass
class Answer:
    code: int = RCODE.NOERROR
    authoritative: bool = False
    answers: Iterable[RR] = ()
    authority: Iterable[RR] = ()


class Zones:
    """The public zones, as they are at the moment of a question."""

    def __init__(self, route53: Route53Backend) -> None:
        self._route53 = route53

    def delegation(self, zone: FakeZone) -> list[str]:
        """The names to which the registry delegates it; none when it does not."""
        comment = zone.comment or ""
        if comment == "not delegated":
            return []
        if comment.startswith("delegated to "):
            return comment.split()[2:]
        return list(zone.delegation_set.name_servers)

    def around(self, name: str) -> FakeZone | None:
        """The zone that answers for a name."""
        found = [zone for zone in self._served() if _is_within(name, zone.name)]
        return max(found, key=lambda zone: len(zone.name), default=None)

    def delegated(self, name: str) -> FakeZone | None:
        """The zone below the top-level domain that the registry knows for a name."""
        found = [zone for zone in self._served() if _is_within(name, zone.name)]
        return min(found, key=lambda zone: len(zone.name), default=None)

    def has_top_level(self, name: str) -> bool:
        ends = {top_level(zone.name) for zone in self._served()}
        return name in ends | {top_level(REGISTRY_NAME)}

    def is_name_server(self, name: str) -> bool:
        plain = name.rstrip(".")
        return any(plain in zone.delegation_set.name_servers for zone in self._served())

    def _served(self) -> list[FakeZone]:
        zones = list(self._route53.zones.values())
        return [zone for zone in zones if not zone.private_zone and self.delegation(zone)]


class Hosts:
    """What the name servers of the hosted zones say, and a resolver that knows nothing else."""

    def __init__(self, zones: Zones, registry: "Registry") -> None:
        self._zones = zones
        self._registry = registry

    def answer(self, name: str, kind: str, recursive: bool) -> Answer:
        answer = self._answer(name, kind, recursive)
        if recursive:
            answer.authoritative = False
        return answer

    def _answer(self, name: str, kind: str, recursive: bool) -> Answer:
        zone = self._zones.around(name)
        if zone:
            return self._in_zone(zone, name, kind)
        if not recursive:
            return Answer(RCODE.REFUSED)
        if self._zones.is_name_server(name):
            here = RR(name, QTYPE.A, rdata=A(HOSTS), ttl=60)
            return Answer(answers=[here] if kind == "A" else [])
        return self._registry.answer(name, kind)

    def _in_zone(self, zone: FakeZone, name: str, kind: str) -> Answer:
        answers: list[RR] = []
        for _ in range(MAX_CNAMES):
            here = [each for each in zone.rrsets if normal_name(each.name) == name]
            right = [each for each in here if each.type == kind]
            if right:
                answers += _records(right[0])
                return Answer(authoritative=True, answers=answers)
            aliases = [each for each in here if each.type == "CNAME"]
            if not aliases:
                break
            answers += _records(aliases[0])
            name = normal_name(aliases[0].records[0])
            target = self._zones.around(name)
            if not target:
                return Answer(authoritative=True, answers=answers)
            zone = target
        exists = any(_is_within(normal_name(each.name), name) for each in zone.rrsets)
        soa = [each for each in zone.rrsets if each.type == "SOA"]
        return Answer(
            RCODE.NOERROR if exists else RCODE.NXDOMAIN,
            authoritative=True,
            answers=answers,
            authority=_records(soa[0]),
        )


class Registry:
    """What the servers of the top-level domains say; the same with and without RD."""

    def __init__(self, zones: Zones) -> None:
        self._zones = zones

    def answer(self, name: str, kind: str, _recursive: bool = False) -> Answer:
        apex = top_level(name)
        if not self._zones.has_top_level(apex):
            return Answer(RCODE.REFUSED)
        if zone := self._zones.delegated(name):
            servers = self._zones.delegation(zone)
            return Answer(
                authority=[RR(zone.name, QTYPE.NS, rdata=NS(each), ttl=60) for each in servers]
            )
        soa = RR(apex, QTYPE.SOA, rdata=SOA(REGISTRY_NAME, "hostmaster." + apex, (1,) * 5), ttl=60)
        records = {
            (apex, "SOA"): soa,
            (apex, "NS"): RR(apex, QTYPE.NS, rdata=NS(REGISTRY_NAME), ttl=60),
            (REGISTRY_NAME, "A"): RR(REGISTRY_NAME, QTYPE.A, rdata=A(REGISTRY), ttl=60),
        }
        if (name, kind) in records:
            return Answer(authoritative=True, answers=[records[(name, kind)]])
        known = name in (apex, REGISTRY_NAME)
        return Answer(
            RCODE.NOERROR if known else RCODE.NXDOMAIN, authoritative=True, authority=[soa]
        )


Respond = Callable[[str, str, bool], Answer]


def reply_to(wire: bytes, respond: Respond, over_udp: bool) -> bytes | None:
    """The reply to a question, in wire format; nothing to what is none."""
    try:
        query = DNSRecord.parse(wire)
    except Exception:  # whatever dnslib makes of what is no DNS message
        return None
    if query.header.qr or len(query.questions) != 1:
        return None
    name, kind = normal_name(str(query.q.qname)), QTYPE[query.q.qtype]
    answer = respond(name, kind, bool(query.header.rd))
    header = DNSHeader(
        id=query.header.id,
        qr=1,
        rd=query.header.rd,
        ra=query.header.rd,
        aa=int(answer.authoritative),
        rcode=answer.code,
    )
    reply = DNSRecord(header, q=query.q, rr=list(answer.answers), auth=list(answer.authority))
    opt = next((each for each in query.ar if each.rtype == QTYPE.OPT), None)
    if opt:
        reply.add_ar(EDNS0(udp_len=opt.edns_len))
    packed = reply.pack()
    if over_udp and len(packed) > (opt.edns_len if opt else PLAIN_UDP_SIZE):
        packed = reply.truncate().pack()
    return packed


class _TcpHandler(socketserver.StreamRequestHandler):
    server: "_TcpServer"
    timeout = 10

    def handle(self) -> None:
        try:
            while len(size := self.rfile.read(2)) == 2:
                wire = self.rfile.read(struct.unpack("!H", size)[0])
                reply = reply_to(wire, self.server.respond, over_udp=False)
                if reply is None:
                    return
                self.wfile.write(struct.pack("!H", len(reply)) + reply)
        except OSError:  # who asked has gone
            return


class _TcpServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    # A CA that validates hundreds of names at once: what finds no room waits a second and longer.
    request_queue_size = 4096

    def __init__(self, address: tuple[str, int], respond: Respond) -> None:
        super().__init__(address, _TcpHandler)
        self.respond = respond


class _Server:
    """Both sockets of one address."""

    def __init__(self, address: str, port: int, respond: Respond) -> None:
        self._respond = respond
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            self._udp.bind((address, port))
            self.port: int = self._udp.getsockname()[1]
            self._tcp = _TcpServer((address, self.port), respond)
        except OSError:
            self._udp.close()
            raise

    def close(self) -> None:
        self._udp.close()
        self._tcp.server_close()

    def start(self) -> None:
        for serve in (self._serve_udp, self._tcp.serve_forever):
            threading.Thread(target=serve, daemon=True).start()

    def _serve_udp(self) -> None:
        while True:
            wire, sender = self._udp.recvfrom(65_535)
            reply = reply_to(wire, self._respond, over_udp=True)
            if reply is not None:
                self._udp.sendto(reply, sender)


def _bind_both(hosts: Respond, registry: Respond) -> tuple[_Server, _Server]:
    """Two servers on the same port of two addresses. One that somebody has, for UDP or TCP on
    either address, is drawn again."""
    while True:
        try:
            first = _Server(HOSTS, 0, hosts)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            continue
        try:
            return first, _Server(REGISTRY, first.port, registry)
        except OSError as error:
            first.close()
            if error.errno != errno.EADDRINUSE:
                raise


def start(route53: Route53Backend) -> int:
    """Serves the zones, in threads, until the process ends. Returns the port."""
    zones = Zones(route53)
    registry = Registry(zones)
    hosts = Hosts(zones, registry)
    servers = _bind_both(hosts.answer, registry.answer)
    for server in servers:
        server.start()
    return servers[0].port
