"""Where Certificate Manager differs from moto: what it refuses to import, what stays when a
certificate is imported under an ARN that is there, and how it lists and describes.

moto makes a new certificate of each import, takes any type of a key and any chain for it, and
appends a root to the chain.
"""

from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from moto.acm import models
from moto.acm.exceptions import AWSValidationException, CertificateNotFound
from moto.acm.responses import AWSCertificateManagerResponse
from moto.core.responses import ActionResult

LARGEST_KEY = 5120  # bytes; AWS API reference, ImportCertificate
LISTED_BY_DEFAULT = ("RSA_1024", "RSA_2048")  # AWS API reference, Filters
MOST_NAMES = 100  # AWS API reference, CertificateSummary
PAGE = 3  # less than the 1,000 that may be asked for, so that there are pages

_import = models.AWSCertificateManagerBackend.import_certificate
_describe = models.CertBundle.describe


def _key_octets(key: Any) -> bytes:
    return key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _type_of(key: Any) -> tuple[str, int]:
    return ("rsa" if isinstance(key, rsa.RSAPrivateKey) else key.curve.name, key.key_size)


def _usages(certificate: x509.Certificate) -> set[str]:
    try:
        usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        return set()
    return {usage.dotted_string for usage in usages.value}


def _refuse_what_does_not_fit(bundle: models.CertBundle, chain: bytes | None) -> None:
    if len(bundle.key) > LARGEST_KEY:
        raise AWSValidationException("The private key is too large.")
    if _key_octets(bundle._key.public_key()) != _key_octets(bundle._cert.public_key()):
        raise AWSValidationException("The private key does not match the certificate.")
    if len(x509.load_pem_x509_certificates(bundle.cert)) != 1:
        raise AWSValidationException("Provide one certificate, and the others as its chain.")
    lower = bundle._cert
    for upper in x509.load_pem_x509_certificates(chain) if chain else []:
        try:
            lower.verify_directly_issued_by(upper)
        except Exception:
            raise AWSValidationException("Could not validate the certificate with its chain.")
        lower = upper


def _import_certificate(
    backend: models.AWSCertificateManagerBackend,
    certificate: bytes,
    private_key: bytes,
    chain: bytes | None,
    arn: str | None,
    tags: list[dict[str, str]],
) -> str:
    if arn is not None and tags:
        raise AWSValidationException("Tagging is not permitted on re-import.")
    former = backend._certificates.get(arn) if arn is not None else None
    if arn is not None and former is None:
        raise CertificateNotFound(arn=arn, account_id=backend.account_id)
    tried = models.CertBundle(backend.account_id, certificate, private_key, chain=chain)
    _refuse_what_does_not_fit(tried, chain)
    if former is not None:
        if _type_of(tried._key) != _type_of(former._key):
            raise AWSValidationException("The type of the key cannot change on re-import.")
        if _usages(former._cert) - _usages(tried._cert):
            raise AWSValidationException(
                "New certificate is missing one or more Extended Key Usages supported by the "
                "currently imported certificate"
            )
    imported = _import(backend, certificate, private_key, chain, arn, tags)
    bundle = backend._certificates[imported]
    bundle.chain = chain or b""
    if former is not None:
        bundle.tags, bundle.in_use_by = former.tags, former.in_use_by
    return imported


def _described(bundle: models.CertBundle) -> dict[str, Any]:
    described = _describe(bundle)
    detail = described["Certificate"]
    octets = f"{bundle._cert.serial_number:x}"
    octets = octets.zfill(len(octets) + len(octets) % 2)
    detail["Serial"] = ":".join(octets[i : i + 2] for i in range(0, len(octets), 2))
    return described


def _list_certificates(response: AWSCertificateManagerResponse) -> ActionResult:
    includes = response._get_param("Includes") or {}
    types = includes.get("keyTypes") or LISTED_BY_DEFAULT
    listed = []
    for bundle in response.acm_backend.list_certificates(None, {"keyTypes": types}):
        detail = bundle.describe()["Certificate"]
        listed.append(
            {
                "CertificateArn": detail["CertificateArn"],
                "DomainName": detail["DomainName"],
                "SubjectAlternativeNameSummaries": bundle.sans[:MOST_NAMES],
                "HasAdditionalSubjectAlternativeNames": len(bundle.sans) > MOST_NAMES,
                "Status": detail["Status"],
                "Type": detail["Type"],
                "KeyAlgorithm": detail["KeyAlgorithm"],
                "InUse": bool(bundle.in_use_by),
            }
        )
    first = int(response._get_param("NextToken") or 0)
    behind = first + min(PAGE, response._get_param("MaxItems") or PAGE)
    result: dict[str, Any] = {"CertificateSummaryList": listed[first:behind]}
    if behind < len(listed):
        result["NextToken"] = str(behind)
    return ActionResult(result=result)


def install() -> None:
    models.AWSCertificateManagerBackend.import_certificate = _import_certificate
    models.CertBundle.describe = _described
    AWSCertificateManagerResponse.list_certificates = _list_certificates
