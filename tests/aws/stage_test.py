"""That the AWS of the end-to-end tests refuses what AWS refuses, and serves what it holds."""

import datetime
import unittest
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from dnslib import QTYPE, RCODE, DNSRecord
from moto.acm.exceptions import AWSValidationException
from moto.acm.models import acm_backends
from moto.core import DEFAULT_ACCOUNT_ID
from moto.route53.exceptions import Route53ClientError
from moto.route53.models import route53_backends
from moto.secretsmanager.exceptions import ResourceExistsException
from moto.secretsmanager.models import secretsmanager_backends

import acm_rules
import route53_rules
import secrets_rules
import zone_server

NAME = "_acme-challenge.example.test"
REGISTRY = zone_server.REGISTRY
HOSTS = zone_server.HOSTS

acm_rules.install()
route53_rules.install()
secrets_rules.install()


def change(action: str, *values: str, name: str = NAME, ttl: int = 60) -> dict[str, Any]:
    record_set = {"Name": name, "Type": "TXT", "TTL": ttl}
    return {
        "Action": action,
        "ResourceRecordSet": {**record_set, "ResourceRecords": [{"Value": v} for v in values]},
    }


class WithZone(unittest.TestCase):
    def setUp(self) -> None:
        self.route53 = route53_backends[DEFAULT_ACCOUNT_ID]["aws"]
        self.route53.zones.clear()
        self.zone = self.route53.create_hosted_zone("example.test.", private_zone=False)

    def send(self, *changes: dict[str, Any]) -> None:
        self.route53.change_resource_record_sets(self.zone.resource_id, list(changes))

    def values(self) -> list[str]:
        return [value for each in self.zone.rrsets if each.type == "TXT" for value in each.records]


class Changes(WithZone):
    def expect_refused(self, words: str, *changes: dict[str, Any]) -> None:
        before = list(self.zone.rrsets)
        with self.assertRaises(Route53ClientError) as refused:
            self.send(*changes)
        self.assertEqual(refused.exception.code, "InvalidChangeBatch")
        self.assertIn(words, refused.exception.message)
        self.assertEqual(self.zone.rrsets, before)

    def test_a_set_that_is_there_is_not_created(self) -> None:
        self.send(change("CREATE", '"a"'))
        self.expect_refused("it already exists", change("CREATE", '"b"'))

    def test_a_set_is_deleted_as_it_stands_or_not_at_all(self) -> None:
        self.expect_refused("it was not found", change("DELETE", '"a"'))
        self.send(change("CREATE", '"a"', '"b"'))
        words = "do not match the current values"
        self.expect_refused(words, change("DELETE", '"a"'))
        self.expect_refused(words, change("DELETE", '"a"', '"b"', ttl=61))
        self.send(change("DELETE", '"b"', '"a"'))
        self.assertEqual(self.values(), [])

    def test_a_set_is_replaced_in_one_batch(self) -> None:
        self.send(change("CREATE", '"a"'))
        self.send(change("DELETE", '"a"'), change("CREATE", '"a"', '"b"'))
        self.assertEqual(self.values(), ['"a"', '"b"'])

    def test_a_batch_is_done_as_a_whole_or_not_at_all(self) -> None:
        new = change("CREATE", '"a"')
        self.expect_refused("not permitted in zone", new, change("CREATE", '"a"', name="b.test"))
        self.expect_refused("invalid set of changes", new, new)
        self.expect_refused("Duplicate", new, change("CREATE", '"a"', '"a"', name="b." + NAME))
        self.expect_refused(
            "limit of 1000", change("UPSERT", *(f'"{number}"' for number in range(501)))
        )


class Served(WithZone):
    def ask(self, name: str, kind: str, recursive: bool, address: str = HOSTS) -> DNSRecord:
        zones = zone_server.Zones(self.route53)
        registry = zone_server.Registry(zones)
        hosts = zone_server.Hosts(zones, registry)
        respond = registry.answer if address == REGISTRY else hosts.answer
        query = DNSRecord.question(name, kind)
        query.header.rd = int(recursive)
        reply = zone_server.reply_to(query.pack(), respond, over_udp=True)
        assert reply is not None
        return DNSRecord.parse(reply)

    def test_values_stand_at_their_name_as_they_were_written(self) -> None:
        self.send(change("CREATE", r'"with \"quotes\", \\ and \303\266"', '"a" "b"'))
        reply = self.ask(NAME, "TXT", recursive=False)
        self.assertEqual(reply.header.aa, 1)
        texts = [each.rdata.data for each in reply.rr]
        self.assertEqual(texts, [['with "quotes", \\ and ö'.encode()], [b"a", b"b"]])

    def test_what_is_not_there_is_denied_with_the_soa(self) -> None:
        self.send(change("CREATE", '"a"'))
        absent = self.ask("b.example.test", "TXT", recursive=False)
        self.assertEqual(absent.header.rcode, RCODE.NXDOMAIN)
        self.assertEqual([each.rtype for each in absent.auth], [QTYPE.SOA])
        self.assertEqual(self.ask(NAME, "A", recursive=False).header.rcode, RCODE.NOERROR)
        foreign = self.ask("example.org", "TXT", recursive=False)
        self.assertEqual(foreign.header.rcode, RCODE.REFUSED)

    def test_aliases_are_followed_into_other_zones(self) -> None:
        self.route53.create_hosted_zone("led.test.", private_zone=False)
        alias = change("CREATE", "a.led.test.")
        alias["ResourceRecordSet"]["Type"] = "CNAME"
        self.send(alias)
        reply = self.ask(NAME, "TXT", recursive=True)
        self.assertEqual([each.rtype for each in reply.rr], [QTYPE.CNAME])
        self.assertEqual([str(each.rname) for each in reply.auth], ["led.test."])
        self.assertEqual((reply.header.aa, reply.header.ra), (0, 1))

    def test_private_and_undelegated_zones_are_not_served(self) -> None:
        self.route53.create_hosted_zone("private.test.", private_zone=True)
        self.route53.create_hosted_zone("twin.test.", private_zone=False, comment="not delegated")
        for name in ("private.test", "twin.test"):
            self.assertEqual(self.ask(name, "SOA", recursive=False).header.rcode, RCODE.REFUSED)
            at_parent = self.ask(name, "NS", False, REGISTRY)
            self.assertEqual(at_parent.header.rcode, RCODE.NXDOMAIN)

    def test_the_registry_delegates_to_the_name_servers_of_a_zone(self) -> None:
        reply = self.ask("www.example.test", "A", False, REGISTRY)
        self.assertEqual(reply.header.aa, 0)
        servers = [str(each.rdata).rstrip(".") for each in reply.auth]
        self.assertEqual(servers, self.zone.delegation_set.name_servers)
        address = self.ask(servers[0], "A", recursive=True)
        self.assertEqual(str(address.rr[0].rdata), HOSTS)


class Versions(unittest.TestCase):
    def setUp(self) -> None:
        self.vault = secretsmanager_backends[DEFAULT_ACCOUNT_ID]["eu-west-1"]
        self.vault.secrets.clear()
        self.old, self.new = "a" * 32, "b" * 32
        self.vault.create_secret("s", "old", None, None, [], None, self.old, [], False)
        self.put("new")

    def put(self, value: str) -> None:
        self.vault.put_secret_value("s", value, None, self.new, ["AWSPENDING"])

    def test_what_is_pending_is_read_once_it_is_current(self) -> None:
        self.assertEqual(self.vault.get_secret_value("s", None, None)["SecretString"], "old")
        self.vault.update_secret_version_stage("s", "AWSCURRENT", self.old, self.new)
        self.assertEqual(self.vault.get_secret_value("s", None, None)["SecretString"], "new")
        former = self.vault.secrets["s"].versions[self.old]
        self.assertEqual(former["version_stages"], ["AWSPREVIOUS"])

    def test_a_version_keeps_its_value(self) -> None:
        self.put("new")
        with self.assertRaises(ResourceExistsException):
            self.put("another")


def self_signed(curve: ec.EllipticCurve) -> tuple[bytes, bytes]:
    """A certificate for example.test, and its key."""
    key = ec.generate_private_key(curve)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "example.test")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    return certificate.public_bytes(pem), key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


class Imports(unittest.TestCase):
    def setUp(self) -> None:
        self.acm = acm_backends[DEFAULT_ACCOUNT_ID]["eu-west-1"]
        self.acm._certificates.clear()
        self.tags = [{"Key": "domain", "Value": "example.test"}]
        self.arn = self.acm.import_certificate(
            *self_signed(ec.SECP256R1()), chain=None, arn=None, tags=self.tags
        )

    def expect_refused(self, words: str, certificate: bytes, key: bytes, **more: Any) -> None:
        with self.assertRaises(AWSValidationException) as refused:
            wanted = {"chain": None, "arn": self.arn, "tags": None} | more
            self.acm.import_certificate(certificate, key, **wanted)
        self.assertIn(words, refused.exception.message)

    def test_tags_stay_under_an_arn_and_none_are_taken_there(self) -> None:
        certificate = self_signed(ec.SECP256R1())
        self.expect_refused("Tagging", *certificate, tags=self.tags)
        self.acm.import_certificate(*certificate, chain=None, arn=self.arn, tags=None)
        self.assertEqual(self.acm._certificates[self.arn].tags, {"domain": "example.test"})

    def test_key_and_chain_have_to_fit(self) -> None:
        certificate, key = self_signed(ec.SECP256R1())
        self.expect_refused("does not match", certificate, self_signed(ec.SECP256R1())[1])
        self.expect_refused("too large", certificate, key + b"\n" * 5000)
        self.expect_refused("chain", certificate, key, chain=self_signed(ec.SECP256R1())[0])
        self.expect_refused("type of the key", *self_signed(ec.SECP384R1()))


if __name__ == "__main__":
    unittest.main()
