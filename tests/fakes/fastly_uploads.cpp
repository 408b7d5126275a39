#include "fakes/fastly_uploads.hpp"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <memory>

#include "crypto/encoding.hpp"
#include "crypto/private_key.hpp"
#include "crypto/x509.hpp"

namespace certherd::fakes::fastly {
namespace {

using Bio = std::unique_ptr<BIO, decltype(&BIO_free_all)>;

tl::unexpected<Refusal> refuse(std::string title, std::string detail) {
  return tl::unexpected(
      Refusal{.status = 400, .title = std::move(title), .detail = std::move(detail)});
}

/// Of the public key's PEM with the newline at its end: so it is with the keys that go-fastly's
/// recorded exchanges show.
std::string sha1_of_public_key(const crypto::PrivateKey& key) {
  const Bio bio(BIO_new(BIO_s_mem()), &BIO_free_all);
  PEM_write_bio_PUBKEY(bio.get(), key.handle());
  char* pem = nullptr;
  const auto size = static_cast<std::size_t>(BIO_get_mem_data(bio.get(), &pem));
  std::string digest(20, '\0');
  EVP_Q_digest(nullptr, "SHA1", nullptr, pem, size, reinterpret_cast<unsigned char*>(digest.data()),
               nullptr);
  return crypto::hex(digest);
}

std::string decimal(const Serial& serial) {
  BIGNUM* number = nullptr;
  BN_hex2bn(&number, serial.text().c_str());
  const std::unique_ptr<BIGNUM, decltype(&BN_free)> owner(number, &BN_free);
  char* digits = BN_bn2dec(number);
  std::string text(digits);
  OPENSSL_free(digits);
  return text;
}

std::string issued_to(const crypto::CertificateInfo& certificate) {
  constexpr std::string_view prefix = "CN=";
  const auto& subject = certificate.subject;
  return subject.starts_with(prefix) ? subject.substr(prefix.size()) : certificate.names.front();
}

/// In the words of Go's crypto/x509, as Fastly shows them.
std::string signature_algorithm(const std::string& der) {
  const auto* position = reinterpret_cast<const unsigned char*>(der.data());
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(
      d2i_X509(nullptr, &position, static_cast<long>(der.size())), &X509_free);
  switch (X509_get_signature_nid(certificate.get())) {
    case NID_sha256WithRSAEncryption:
      return "SHA256-RSA";
    case NID_sha384WithRSAEncryption:
      return "SHA384-RSA";
    case NID_ecdsa_with_SHA256:
      return "ECDSA-SHA256";
    case NID_ecdsa_with_SHA384:
      return "ECDSA-SHA384";
    case NID_ED25519:
      return "Ed25519";
    default:
      return "unknown";
  }
}

}  // namespace

bool Leaf::has(const std::string& name) const { return std::ranges::binary_search(names, name); }

tl::expected<Key, Refusal> read_key(const std::string& pem) {
  const auto key = crypto::PrivateKey::from_pem(Secret<std::string>(pem));
  if (!key) return refuse("Invalid value for key", "key is not a valid private key");
  const bool taken = key->type() == KeyType::rsa_2048 || key->type() == KeyType::ecdsa_p256 ||
                     key->type() == KeyType::ecdsa_p384;
  if (!taken) {
    return refuse("Invalid value for key",
                  "key must be RSA of 2048 bits, or ECDSA on the curve P-256 or P-384");
  }
  return Key{.id = {},
             .name = {},
             .pem = Secret<std::string>(pem),
             .type = key->type(),
             .public_key = key->public_key(),
             .public_key_sha1 = sha1_of_public_key(*key),
             .created_at = {}};
}

tl::expected<Leaf, Refusal> read_leaf(std::string_view chain_pem, Time now) {
  constexpr const char* title = "Invalid value for cert_blob";
  const auto chain = crypto::read_chain(chain_pem);
  const auto parts = crypto::split_chain(chain_pem);
  if (!chain || !parts) return refuse(title, "cert_blob is not a PEM-formatted certificate");
  const auto& first = chain->front();
  if (first.names.empty()) return refuse(title, "need at least one DNS name, got none");
  std::vector<Fqdn> names;
  for (const auto& name : first.names) {
    auto parsed = Fqdn::parse(name);
    if (!parsed) return refuse(title, name + " is not a valid DNS name");
    names.push_back(std::move(*parsed));
  }
  if (chain->size() == 1) return refuse(title, "the chain has no intermediate certificate");
  if (const auto sound = crypto::check_issued(chain_pem, first.public_key, names, now); !sound) {
    return refuse(title, "the certificate chain is invalid: " + sound.error().detail);
  }
  return Leaf{.names = first.names,
              .public_key = first.public_key,
              .serial_number = decimal(first.serial),
              .issued_to = issued_to(first),
              .issuer = first.issuer,
              .signature_algorithm = signature_algorithm(parts->leaf_der),
              .not_before = first.not_before,
              .not_after = first.not_after};
}

}  // namespace certherd::fakes::fastly
