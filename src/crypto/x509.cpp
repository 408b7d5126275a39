#include "crypto/x509.hpp"

#include <algorithm>
#include <array>

#include "crypto/certificate_chain.hpp"
#include "crypto/encoding.hpp"
#include "crypto/openssl.hpp"

namespace certherd::crypto {
namespace {

constexpr std::size_t most_certificates = 16;
// Sixteen certificates with a hundred names each are far below; a CA's answer is outside text.
constexpr std::size_t longest_chain = std::size_t{1} << 20U;
constexpr std::size_t largest_certificate = std::size_t{1} << 18U;

constexpr std::string_view begin_marker = "-----BEGIN CERTIFICATE-----";
constexpr std::string_view end_marker = "-----END CERTIFICATE-----";
constexpr std::string_view white_space = " \t\r\n";

tl::unexpected<Error> bad_chain(std::string detail) {
  return fail(Error::Kind::rejected, "read certificate", std::move(detail));
}

std::string distinguished_name(const X509_NAME* name) {
  const Bio bio(BIO_new(BIO_s_mem()));
  ensure(bio != nullptr, "print a distinguished name");
  // RFC 2253 form, but UTF-8 as it is instead of escaped octets. A name with strings that cannot
  // be read ends where they begin.
  X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  return content(bio.get());
}

std::string string_octets(const ASN1_STRING* string) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
          static_cast<std::size_t>(ASN1_STRING_length(string))};
}

Serial serial_of(const X509* certificate) {
  const ASN1_INTEGER* const serial = X509_get0_serialNumber(certificate);
  const bool negative = ASN1_STRING_type(serial) == V_ASN1_NEG_INTEGER;
  return Serial((negative ? "-" : "") + hex(string_octets(serial)));
}

/// The octets of the serial as they stand in DER: with the 00 that keeps it positive.
std::string serial_content(const X509* certificate) {
  const std::string der = to_der(&i2d_ASN1_INTEGER, X509_get0_serialNumber(certificate));
  const unsigned char* position = octets(der);
  long length = 0;
  int tag = 0;
  int kind = 0;
  ensure(
      (ASN1_get_object(&position, &length, &tag, &kind, static_cast<long>(der.size())) & 0x80) == 0,
      "read a serial");
  return der.substr(der.size() - static_cast<std::size_t>(length));
}

// RFC 9773 section 4.1.
std::string ari_id_of(X509* certificate) {
  const ASN1_OCTET_STRING* const key_id = X509_get0_authority_key_id(certificate);
  if (key_id == nullptr) return {};
  return base64url(string_octets(key_id)) + "." + base64url(serial_content(certificate));
}

}  // namespace

Names alternative_names(const X509* certificate) {
  return Names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
}

CertificateInfo describe(X509* certificate) {
  CertificateInfo info;
  info.serial = serial_of(certificate);
  info.names = dns_names(alternative_names(certificate).get());
  info.subject = distinguished_name(X509_get_subject_name(certificate));
  info.issuer = common_name(X509_get_issuer_name(certificate));
  if (info.issuer.empty()) info.issuer = distinguished_name(X509_get_issuer_name(certificate));
  info.not_before = to_time(X509_get0_notBefore(certificate));
  info.not_after = to_time(X509_get0_notAfter(certificate));
  info.fingerprint = Fingerprint(hex(sha256(to_der(&i2d_X509, certificate))));
  info.public_key = to_der(&i2d_X509_PUBKEY, X509_get_X509_PUBKEY(certificate));
  info.ari_id = ari_id_of(certificate);
  info.is_ca = (X509_get_extension_flags(certificate) & EXFLAG_CA) != 0;
  take_reason();  // of extensions that cannot be read
  return info;
}

Result<CertificateHandle> parse_certificate(std::string_view der) {
  if (der.size() > largest_certificate) return bad_chain("it is too long");
  auto certificate = from_der<CertificateHandle>(&d2i_X509, der);
  if (!certificate) return bad_chain("it is not an X.509 certificate: " + take_reason());
  return certificate;
}

Result<std::vector<CertificateHandle>> parse_chain(std::string_view pem) {
  if (pem.size() > longest_chain) return bad_chain("the chain is longer than 1 MiB");
  std::vector<CertificateHandle> chain;
  while (true) {
    pem.remove_prefix(std::min(pem.find_first_not_of(white_space), pem.size()));
    if (pem.empty()) break;
    const std::string position = "certificate " + std::to_string(chain.size() + 1);
    if (chain.size() == most_certificates) return bad_chain("more than 16 certificates");
    if (!pem.starts_with(begin_marker)) {
      return bad_chain("something other than a CERTIFICATE block stands before " + position);
    }
    pem.remove_prefix(begin_marker.size());
    const auto end = pem.find(end_marker);
    if (end == std::string_view::npos) return bad_chain(position + " has no end");

    std::string body(pem.substr(0, end));
    std::erase_if(body, [](char c) { return white_space.find(c) != std::string_view::npos; });
    auto der = from_base64(body);
    if (!der) return bad_chain(position + " is not in base64");
    auto certificate = parse_certificate(*der);
    if (!certificate) return fail(std::move(certificate.error()).during(position));
    chain.push_back(std::move(*certificate));
    pem.remove_prefix(end + end_marker.size());
  }
  if (chain.empty()) return bad_chain("there is none");
  return chain;
}

std::optional<Serial> serial_from_decimal(const std::string& text) {
  constexpr std::size_t most_digits = 49;  // of 2^160
  constexpr int most_octets = 20;
  const bool digits = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
  if (!digits || text.size() > most_digits) return std::nullopt;
  BIGNUM* read = nullptr;
  const int used = BN_dec2bn(&read, text.c_str());
  const BigNumber number(read);
  ensure(used > 0 && number != nullptr, "read a serial");
  const int size = BN_num_bytes(number.get());
  if (size > most_octets) return std::nullopt;
  // As ASN.1 has it, nought takes an octet too.
  std::string bytes(static_cast<std::size_t>(std::max(size, 1)), '\0');
  BN_bn2bin(number.get(), octets(bytes));
  return Serial(hex(bytes));
}

Result<std::vector<CertificateInfo>> read_chain(std::string_view pem) {
  auto chain = parse_chain(pem);
  if (!chain) return fail(std::move(chain.error()));
  std::vector<CertificateInfo> infos;
  infos.reserve(chain->size());
  for (const auto& certificate : *chain) infos.push_back(describe(certificate.get()));
  return infos;
}

Result<ChainParts> split_chain(std::string_view pem) {
  auto chain = parse_chain(pem);
  if (!chain) return fail(std::move(chain.error()));
  ChainParts parts;
  for (const auto& certificate : *chain) {
    const auto der = to_der(&i2d_X509, certificate.get());
    if (parts.leaf.empty()) {
      parts.leaf = to_pem("CERTIFICATE", der);
      parts.leaf_der = der;
    } else {
      parts.others += to_pem("CERTIFICATE", der);
    }
  }
  return parts;
}

ServedChain::ServedChain(const stack_st_X509* certificates) {
  for (int i = 0; i < sk_X509_num(certificates); ++i) {
    X509* const certificate = sk_X509_value(certificates, i);
    ensure(X509_up_ref(certificate) == 1, "keep a served certificate");
    certificates_.emplace_back(certificate, &X509_free);
  }
}

std::vector<CertificateInfo> ServedChain::describe() const {
  std::vector<CertificateInfo> infos;
  infos.reserve(certificates_.size());
  for (const auto& certificate : certificates_) {
    infos.push_back(crypto::describe(certificate.get()));
  }
  return infos;
}

Result<CertificateInfo> read_certificate(std::string_view der) {
  auto certificate = parse_certificate(der);
  if (!certificate) return fail(std::move(certificate.error()));
  return describe(certificate->get());
}

}  // namespace certherd::crypto
