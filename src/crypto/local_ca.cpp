#include "crypto/local_ca.hpp"

#include "crypto/certificate_chain.hpp"
#include "crypto/encoding.hpp"
#include "crypto/openssl.hpp"

namespace certherd::crypto {
namespace {

using namespace std::chrono_literals;

void add_extension(X509* certificate, X509* issuer, int kind, const char* value) {
  X509V3_CTX context{};
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_nconf_nid(nullptr, &context, kind, value));
  ensure(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1,
         "add an extension");
}

CertificateHandle make_certificate(EVP_PKEY* key, std::string_view serial, Time not_before,
                                   Time not_after) {
  CertificateHandle certificate(X509_new());
  const BigNumber number(BN_bin2bn(octets(serial), static_cast<int>(serial.size()), nullptr));
  ensure(
      certificate != nullptr && number != nullptr &&
          BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate.get())) != nullptr &&
          X509_set_version(certificate.get(), X509_VERSION_3) == 1 &&
          X509_set_pubkey(certificate.get(), key) == 1,
      "make a certificate");
  const auto set = [](ASN1_TIME* field, Time time) {
    ensure(ASN1_TIME_set(field, std::chrono::system_clock::to_time_t(time)) != nullptr,
           "set a date");
  };
  set(X509_getm_notBefore(certificate.get()), not_before);
  set(X509_getm_notAfter(certificate.get()), not_after);
  return certificate;
}

std::string sign(X509* certificate, const PrivateKey& key) {
  ensure(X509_sign(certificate, key.handle(), digest_for(key.handle())) > 0, "sign a certificate");
  return to_pem("CERTIFICATE", to_der(&i2d_X509, certificate));
}

/// Positive and not zero, whatever the hash is (RFC 5280 section 4.1.2.2).
std::string root_serial(const PrivateKey& key) {
  std::string serial = sha256(key.public_key()).substr(0, 16);
  serial.front() = static_cast<char>((static_cast<unsigned char>(serial.front()) & 0x3fU) | 0x40U);
  return serial;
}

std::string big_endian(std::uint64_t number) {
  std::string bytes(8, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[bytes.size() - 1 - i] = static_cast<char>((number >> (8 * i)) & 0xffU);
  }
  return bytes;
}

}  // namespace

LocalCa::LocalCa(std::string_view name, Time now)
    : LocalCa(name, now, PrivateKey::generate(KeyType::ed25519).value()) {}

LocalCa::LocalCa(std::string_view name, Time now, PrivateKey key) : key_(std::move(key)) {
  const auto root = make_certificate(key_.handle(), root_serial(key_), now - 24h,
                                     now - 24h + std::chrono::years(10));
  set_common_name(X509_get_subject_name(root.get()), name);
  set_common_name(X509_get_issuer_name(root.get()), name);
  add_extension(root.get(), root.get(), NID_basic_constraints, "critical,CA:TRUE");
  add_extension(root.get(), root.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
  add_extension(root.get(), root.get(), NID_subject_key_identifier, "hash");
  root_pem_ = sign(root.get(), key_);
}

std::string LocalCa::issue(std::string_view public_key, const std::vector<std::string>& names,
                           std::uint64_t serial, Time not_before, Time not_after) const {
  const auto key = from_der<KeyHandle>(&d2i_PUBKEY, public_key);
  ensure(key != nullptr, "read a public key");
  const auto root = parse_chain(root_pem_);
  X509* const issuer = root.value().front().get();
  const auto leaf = make_certificate(key.get(), big_endian(serial), not_before, not_after);

  const bool common = !names.empty() && names.front().size() <= longest_common_name;
  if (common) set_common_name(X509_get_subject_name(leaf.get()), names.front());
  ensure(X509_set_issuer_name(leaf.get(), X509_get_subject_name(issuer)) == 1, "name the issuer");

  add_extension(leaf.get(), issuer, NID_basic_constraints, "critical,CA:FALSE");
  add_extension(leaf.get(), issuer, NID_key_usage,
                EVP_PKEY_is_a(key.get(), "RSA") == 1 ? "critical,digitalSignature,keyEncipherment"
                                                     : "critical,digitalSignature");
  add_extension(leaf.get(), issuer, NID_ext_key_usage, "serverAuth");
  add_extension(leaf.get(), issuer, NID_subject_key_identifier, "hash");
  add_extension(leaf.get(), issuer, NID_authority_key_identifier, "keyid:always");
  // With an empty subject the names must not be overlooked (RFC 5280 section 4.2.1.6).
  const Extension san = make_san(names, !common);
  ensure(X509_add_ext(leaf.get(), san.get(), -1) == 1, "add an extension");
  return sign(leaf.get(), key_) + root_pem_;
}

std::string LocalCa::cross_sign(const LocalCa& other) const {
  const auto own = parse_chain(root_pem_);
  const auto theirs = parse_chain(other.root_pem_);
  const CertificateHandle crossed(X509_dup(theirs.value().front().get()));
  ensure(crossed != nullptr &&
             X509_set_issuer_name(crossed.get(),
                                  X509_get_subject_name(own.value().front().get())) == 1,
         "name the issuer");
  return sign(crossed.get(), key_);
}

}  // namespace certherd::crypto
