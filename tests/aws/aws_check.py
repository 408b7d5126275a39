"""What the end-to-end tests on AWS prepare, and read back as any user of AWS would: by boto3.

usage: aws_check.py URL COMMAND < INPUT

INPUT and what is printed are JSON.

zones    [{"name", "private": bool, "comment"}...] makes hosted zones; prints their ids
put      [{"zone_id", "name", "type", "values"}...] puts record sets
texts    {} prints all TXT sets of all zones: [{"zone_id", "name", "values"}...]
secrets  {"prefix"} prints for each domain what its secrets hold: {"secrets", "current",
         "sets": {version id: SET}, "faults", "tags"}. "sets" are those of which every part is
         AWSCURRENT or AWSPREVIOUS, and which fit; "current" is the version id that is AWSCURRENT
         in all parts, or null. The parts are three secrets, or one that is called "bundle".
acm      {} prints the certificates of Certificate Manager by their ARN: {"serial", "fullchain",
         "tags"}
"""

import json
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
from botocore.config import Config
from cryptography import x509
from cryptography.hazmat.primitives import serialization

REGION = "eu-west-1"
PARTS = {"private_key", "csr", "fullchain"}
BUNDLE = "bundle"
STAGES = {"AWSCURRENT", "AWSPREVIOUS"}
BATCH = 20  # BatchGetSecretValue takes no more names at once (AWS API reference)
AT_ONCE = 2
KEY_TYPES = ["RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1"]


def client(url: str, service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id="AKIDCHECK",
        aws_secret_access_key="check",
        config=Config(max_pool_connections=AT_ONCE, retries={"max_attempts": 0}),
    )


def make_zones(url: str, wanted: list[dict[str, Any]]) -> list[str]:
    route53 = client(url, "route53")
    ids = []
    for number, zone in enumerate(wanted):
        config = {"Comment": zone.get("comment", ""), "PrivateZone": zone.get("private", False)}
        made = route53.create_hosted_zone(
            Name=zone["name"],
            CallerReference=f"{zone['name']} {number}",
            HostedZoneConfig=config,
            **({"VPC": {"VPCRegion": REGION, "VPCId": "vpc-1"}} if config["PrivateZone"] else {}),
        )
        ids.append(made["HostedZone"]["Id"].removeprefix("/hostedzone/"))
    return ids


def put_records(url: str, wanted: list[dict[str, Any]]) -> None:
    route53 = client(url, "route53")
    for record_set in wanted:
        values = [{"Value": value} for value in record_set["values"]]
        change = {
            "Action": "UPSERT",
            "ResourceRecordSet": {
                "Name": record_set["name"],
                "Type": record_set["type"],
                "TTL": 300,
                "ResourceRecords": values,
            },
        }
        route53.change_resource_record_sets(
            HostedZoneId=record_set["zone_id"], ChangeBatch={"Changes": [change]}
        )


def read_texts(url: str, _: object) -> list[dict[str, Any]]:
    route53 = client(url, "route53")
    found = []
    for page in route53.get_paginator("list_hosted_zones").paginate():
        for zone in page["HostedZones"]:
            sets = route53.get_paginator("list_resource_record_sets")
            for record_sets in sets.paginate(HostedZoneId=zone["Id"]):
                found += [
                    {
                        "zone_id": zone["Id"].removeprefix("/hostedzone/"),
                        "name": each["Name"].rstrip("."),
                        "values": [record["Value"] for record in each["ResourceRecords"]],
                    }
                    for each in record_sets["ResourceRecordSets"]
                    if each["Type"] == "TXT"
                ]
    return found


def public_octets(key: Any) -> bytes:
    return key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def names_of(extensions: x509.Extensions) -> list[str]:
    names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return sorted(names.get_values_for_type(x509.DNSName))


def check_set(parts: dict[str, str]) -> dict[str, Any]:
    """What the parts tell; ValueError when they do not belong together."""
    key = serialization.load_pem_private_key(parts["private_key"].encode(), None)
    csr = x509.load_pem_x509_csr(parts["csr"].encode())
    chain = x509.load_pem_x509_certificates(parts["fullchain"].encode())
    leaf = chain[0]
    keys = (key.public_key(), csr.public_key(), leaf.public_key())
    if len({public_octets(each) for each in keys}) > 1:
        raise ValueError("key, CSR and certificate are not of one key pair")
    if not csr.is_signature_valid:
        raise ValueError("the CSR is not signed by its key")
    if names_of(csr.extensions) != names_of(leaf.extensions):
        raise ValueError("CSR and certificate have different names")
    for lower, upper in zip(chain, chain[1:]):
        lower.verify_directly_issued_by(upper)
    serial = f"{leaf.serial_number:x}"
    return {
        "serial": serial.zfill(len(serial) + len(serial) % 2),  # whole octets
        "names": names_of(leaf.extensions),
    }


def parts_of(text: str, part: str) -> dict[str, str]:
    """What one secret holds: the part it is called after or, in a bundle, all of them."""
    if part != BUNDLE:
        return {part: text}
    document = json.loads(text)
    return {each: document[each] for each in PARTS}


class Secrets:
    """All secrets below a prefix, with the values of their labelled versions."""

    def __init__(self, url: str, prefix: str) -> None:
        self._client = client(url, "secretsmanager")
        pages = self._client.get_paginator("list_secrets").paginate(
            Filters=[{"Key": "name", "Values": [prefix]}]
        )
        self.listed = [each for page in pages for each in page["SecretList"]]
        self._values: dict[tuple[str, str], str] = {}
        names = [each["Name"] for each in self.listed]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            batches = [names[i : i + BATCH] for i in range(0, len(names), BATCH)]
            for batch in pool.map(self._current, batches):
                for value in batch:
                    self._values[(value["Name"], value["VersionId"])] = value["SecretString"]

    def _current(self, names: list[str]) -> list[dict[str, Any]]:
        got = self._client.batch_get_secret_value(SecretIdList=names)
        if got["Errors"]:
            raise ValueError(f"cannot be read: {got['Errors']}")
        return got["SecretValues"]

    def value(self, name: str, version: str) -> str:
        if (name, version) not in self._values:
            got = self._client.get_secret_value(SecretId=name, VersionId=version)
            self._values[(name, version)] = got["SecretString"]
        return self._values[(name, version)]


def labelled(secret: dict[str, Any], stages: set[str]) -> set[str]:
    versions = secret["SecretVersionsToStages"].items()
    return {version for version, has in versions if stages & set(has)}


def describe_domain(secrets: Secrets, parts: dict[str, dict[str, Any]]) -> dict[str, Any]:
    complete = set(parts) in (PARTS, {BUNDLE})
    faults = [] if complete else [f"of its secrets there are only {sorted(parts)}"]
    sets = {}
    common = set.intersection(*(labelled(each, STAGES) for each in parts.values()))
    for version in sorted(common if complete else ()):
        held: dict[str, str] = {}
        for part, secret in parts.items():
            held |= parts_of(secrets.value(secret["Name"], version), part)
        try:
            sets[version] = check_set(held)
        except ValueError as error:
            faults.append(f"version {version}: {error}")
    current = set.intersection(*(labelled(each, {"AWSCURRENT"}) for each in parts.values()))
    return {
        "secrets": len(parts),
        "current": min(current, default=None),
        "sets": sets,
        "faults": faults,
        "tags": {
            part: {tag["Key"]: tag["Value"] for tag in secret.get("Tags", [])}
            for part, secret in parts.items()
        },
    }


def read_secrets(url: str, wanted: dict[str, str]) -> dict[str, Any]:
    secrets = Secrets(url, wanted["prefix"])
    domains: dict[str, dict[str, dict[str, Any]]] = {}
    for secret in secrets.listed:
        name = secret["Name"].removeprefix(wanted["prefix"])
        domain, _, part = name.rpartition("/")
        domains.setdefault(domain, {})[part] = secret
    return {domain: describe_domain(secrets, parts) for domain, parts in domains.items()}


def read_acm(url: str, _: object) -> dict[str, Any]:
    acm = client(url, "acm")
    found = {}
    pages = acm.get_paginator("list_certificates").paginate(Includes={"keyTypes": KEY_TYPES})
    for page in pages:
        for summary in page["CertificateSummaryList"]:
            arn = summary["CertificateArn"]
            detail = acm.describe_certificate(CertificateArn=arn)["Certificate"]
            held = acm.get_certificate(CertificateArn=arn)
            tags = acm.list_tags_for_certificate(CertificateArn=arn)["Tags"]
            found[arn] = {
                "serial": detail["Serial"].replace(":", ""),
                "fullchain": held["Certificate"] + held["CertificateChain"],
                "tags": {tag["Key"]: tag["Value"] for tag in tags},
            }
    return found


COMMANDS: dict[str, Callable[[str, Any], object]] = {
    "zones": make_zones,
    "put": put_records,
    "texts": read_texts,
    "secrets": read_secrets,
    "acm": read_acm,
}


def main() -> None:
    url, command = sys.argv[1:]
    print(json.dumps(COMMANDS[command](url, json.load(sys.stdin))))


if __name__ == "__main__":
    main()
