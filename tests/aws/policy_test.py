"""What docs/aws-policy.json allows and what it does not, by IAM's rules as far as it uses them."""

import json
import pathlib
import unittest
from fnmatch import fnmatchcase
from typing import Any

POLICY = pathlib.Path(__file__).resolve().parents[2] / "docs" / "aws-policy.json"
CHANGE = "route53:ChangeResourceRecordSets"
ZONE = "arn:aws:route53:::hostedzone/Z123"
SECRETS = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:"
Context = dict[str, list[str]]


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def holds(operator: str, has: list[str] | None, wanted: list[str]) -> bool:
    """One line of a condition. `has` is None when the request has no such key."""
    if operator == "Null":
        return (has is None) == (wanted == ["true"])
    quantifier, _, plain = operator.rpartition(":")
    if has is None:
        return quantifier == "ForAllValues"  # of no value, everything is true
    assert quantifier == "ForAllValues" or len(has) == 1, "a key of several values"
    match = fnmatchcase if plain == "StringLike" else str.__eq__
    return all(any(match(value, pattern) for pattern in wanted) for value in has)


class Policy(unittest.TestCase):
    def setUp(self) -> None:
        self.statements = json.loads(POLICY.read_text())["Statement"]

    def allows(self, action: str, resource: str, context: Context | None = None) -> bool:
        def applies(statement: dict[str, Any]) -> bool:
            return (
                statement["Effect"] == "Allow"
                and action in listed(statement["Action"])
                and any(fnmatchcase(resource, each) for each in listed(statement["Resource"]))
                and all(
                    holds(operator, (context or {}).get(key), listed(wanted))
                    for operator, lines in statement.get("Condition", {}).items()
                    for key, wanted in lines.items()
                )
            )

        return any(applies(statement) for statement in self.statements)

    def allows_change(self, names: list[str], types: list[str], actions: list[str]) -> bool:
        keys = ("NormalizedRecordNames", "RecordTypes", "Actions")
        context = {CHANGE + key: values for key, values in zip(keys, (names, types, actions))}
        return self.allows(CHANGE, ZONE, context)

    def test_names_each_action_in_full(self) -> None:
        for statement in self.statements:
            for action in listed(statement["Action"]):
                self.assertNotIn("*", action)

    def test_changes_challenge_values(self) -> None:
        names = ["_acme-challenge.example.com", "_acme-challenge.www.example.com"]
        self.assertTrue(self.allows_change(names, ["TXT"], ["CREATE", "DELETE"]))

    def test_changes_nothing_else(self) -> None:
        name = "_acme-challenge.example.com"
        self.assertFalse(self.allows_change([name, "www.example.com"], ["TXT"], ["CREATE"]))
        self.assertFalse(self.allows_change(["example.com"], ["TXT"], ["CREATE"]))
        self.assertFalse(self.allows_change([name], ["TXT", "A"], ["CREATE"]))
        self.assertFalse(self.allows_change([name], ["CNAME"], ["CREATE"]))
        self.assertFalse(self.allows_change([name], ["TXT"], ["CREATE", "UPSERT"]))
        self.assertFalse(self.allows(CHANGE, ZONE), "a request that does not say what it changes")

    def test_reads_zones_and_changes(self) -> None:
        self.assertTrue(self.allows("route53:ListHostedZonesByName", "*"))
        self.assertTrue(self.allows("route53:ListHostedZones", "*"))
        self.assertTrue(self.allows("route53:GetHostedZone", ZONE))
        self.assertTrue(self.allows("route53:ListResourceRecordSets", ZONE))
        self.assertTrue(self.allows("route53:GetChange", "arn:aws:route53:::change/C123"))
        self.assertFalse(self.allows("route53:DeleteHostedZone", ZONE))

    def test_keeps_secrets_below_the_prefix_only(self) -> None:
        own = SECRETS + "tls/example.com/private_key-AbCdEf"
        for action in ("CreateSecret", "PutSecretValue", "UpdateSecretVersionStage", "TagResource"):
            self.assertTrue(self.allows("secretsmanager:" + action, own))
            self.assertFalse(self.allows("secretsmanager:" + action, SECRETS + "database-AbCdEf"))
        self.assertFalse(self.allows("secretsmanager:DeleteSecret", own))

    def test_uses_a_key_for_these_secrets_only(self) -> None:
        key = "arn:aws:kms:eu-west-1:123456789012:key/1"
        context = {
            "kms:ViaService": ["secretsmanager.eu-west-1.amazonaws.com"],
            "kms:EncryptionContext:SecretARN": [SECRETS + "tls/example.com/csr-AbCdEf"],
        }
        self.assertTrue(self.allows("kms:GenerateDataKey", key, context))
        self.assertFalse(self.allows("kms:Decrypt", key))
        other = context | {"kms:EncryptionContext:SecretARN": [SECRETS + "database-AbCdEf"]}
        self.assertFalse(self.allows("kms:Decrypt", key, other))

    def test_imports_certificates_and_deletes_its_own_only(self) -> None:
        certificate = "arn:aws:acm:eu-west-1:123456789012:certificate/1"
        self.assertTrue(self.allows("acm:ListCertificates", "*"))
        for action in (
            "AddTagsToCertificate",
            "DescribeCertificate",
            "GetCertificate",
            "ImportCertificate",
            "ListTagsForCertificate",
        ):
            self.assertTrue(self.allows("acm:" + action, certificate), action)
        managed_by = "aws:ResourceTag/managed-by"
        own = {managed_by: ["certherd"]}
        self.assertTrue(self.allows("acm:DeleteCertificate", certificate, own))
        self.assertFalse(self.allows("acm:DeleteCertificate", certificate))
        other = {managed_by: ["terraform"]}
        self.assertFalse(self.allows("acm:DeleteCertificate", certificate, other))
        self.assertFalse(self.allows("acm:ExportCertificate", certificate, own))


if __name__ == "__main__":
    unittest.main()
