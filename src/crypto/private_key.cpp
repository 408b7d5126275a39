#include "crypto/private_key.hpp"

#include <openssl/core_names.h>
#include <openssl/pem.h>

#include <array>
#include <stdexcept>

#include "crypto/encoding.hpp"
#include "crypto/openssl.hpp"

namespace certherd::crypto {
namespace {

/// Without this OpenSSL would ask for the password on the terminal.
int no_password(char*, int, int, void*) { return -1; }

std::optional<KeyType> type_of(EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "ED25519") == 1) return KeyType::ed25519;
  if (EVP_PKEY_is_a(key, "RSA") == 1) {
    switch (EVP_PKEY_get_bits(key)) {
      case 2048:
        return KeyType::rsa_2048;
      case 3072:
        return KeyType::rsa_3072;
      case 4096:
        return KeyType::rsa_4096;
      default:
        return std::nullopt;
    }
  }
  std::array<char, 64> group{};
  if (EVP_PKEY_is_a(key, "EC") != 1 ||
      EVP_PKEY_get_group_name(key, group.data(), group.size(), nullptr) != 1) {
    return std::nullopt;
  }
  const std::string_view name(group.data());
  if (name == SN_X9_62_prime256v1) return KeyType::ecdsa_p256;
  if (name == SN_secp384r1) return KeyType::ecdsa_p384;
  return std::nullopt;
}

EVP_PKEY* generate_handle(KeyType type) {
  const auto rsa = [](std::size_t bits) {
    return EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", bits);
  };
  switch (type) {
    case KeyType::ecdsa_p256:
      return EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256");
    case KeyType::ecdsa_p384:
      return EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-384");
    case KeyType::rsa_2048:
      return rsa(2048);
    case KeyType::rsa_3072:
      return rsa(3072);
    case KeyType::rsa_4096:
      return rsa(4096);
    case KeyType::ed25519:
      return EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  }
  return nullptr;
}

tl::unexpected<Error> bad_key(std::string detail) {
  return fail(Error::Kind::rejected, "read private key", std::move(detail));
}

}  // namespace

struct PrivateKey::Paper {
  KeyType type;
  Secret<std::string> pem;
  std::string public_key;
};

PrivateKey::PrivateKey(evp_pkey_st* owned) : key_(owned, &EVP_PKEY_free) {}

PrivateKey::PrivateKey(KeyType type, Secret<std::string> pem, std::string public_key)
    : paper_(std::make_shared<Paper>(Paper{type, std::move(pem), std::move(public_key)})) {}

Result<PrivateKey> PrivateKey::generate(KeyType type) {
  KeyHandle key(generate_handle(type));
  if (!key) return fail(Error::Kind::transient, "generate key", take_reason());
  return PrivateKey(key.release());
}

Result<PrivateKey> PrivateKey::from_pem(const Secret<std::string>& pem) {
  const std::string& text = pem.reveal();
  if (text.size() > 65536) return bad_key("the text is too long for a key");
  const Bio bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  ensure(bio != nullptr, "read private key");
  KeyHandle key(PEM_read_bio_PrivateKey(bio.get(), nullptr, &no_password, nullptr));
  if (!key) {
    const std::string reason = take_reason();
    return bad_key("it is not an unencrypted private key in PEM (" + reason + ")");
  }
  const auto type = type_of(key.get());
  if (!type)
    return bad_key("only ECDSA P-256 and P-384, RSA 2048, 3072 and 4096, Ed25519 are used");

  // A file may hold the point compressed; equal keys are to have equal public keys.
  const bool elliptic = *type == KeyType::ecdsa_p256 || *type == KeyType::ecdsa_p384;
  if (elliptic && EVP_PKEY_set_utf8_string_param(
                      key.get(), OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "uncompressed") != 1) {
    return bad_key(take_reason());
  }
  return PrivateKey(key.release());
}

Secret<std::string> PrivateKey::to_pem() const {
  if (paper_) return paper_->pem;
  // This kind of buffer wipes itself.
  const Bio bio(BIO_new(BIO_s_secmem()));
  ensure(bio != nullptr && PEM_write_bio_PKCS8PrivateKey(bio.get(), key_.get(), nullptr, nullptr, 0,
                                                         nullptr, nullptr) == 1,
         "write private key");
  return Secret<std::string>(content(bio.get()));
}

KeyType PrivateKey::type() const {
  if (paper_) return paper_->type;
  const auto type = type_of(key_.get());
  if (!type) throw std::logic_error("a private key of a kind that is not used");
  return *type;
}

std::string PrivateKey::public_key() const {
  return paper_ ? paper_->public_key : to_der(&i2d_PUBKEY, key_.get());
}

std::string public_key_pem(std::string_view public_key) {
  constexpr std::size_t line = 64;  // RFC 7468 section 2
  const auto text = base64(public_key);
  std::string pem = "-----BEGIN PUBLIC KEY-----\n";
  for (std::size_t i = 0; i < text.size(); i += line) pem += text.substr(i, line) + "\n";
  return pem + "-----END PUBLIC KEY-----\n";
}

std::string key_text(std::string_view public_key) {
  const auto key = from_der<KeyHandle>(&d2i_PUBKEY, public_key);
  take_reason();
  if (!key) return {};
  if (const auto type = type_of(key.get())) return std::string(to_string(*type));
  if (EVP_PKEY_is_a(key.get(), "RSA") == 1) {
    return "rsa-" + std::to_string(EVP_PKEY_get_bits(key.get()));
  }
  std::array<char, 64> group{};
  std::size_t size = 0;
  if (EVP_PKEY_get_group_name(key.get(), group.data(), group.size(), &size) == 1) {
    return {group.data(), size};
  }
  take_reason();
  const char* const name = EVP_PKEY_get0_type_name(key.get());
  return name == nullptr ? std::string() : std::string(name);
}

KeyHash hash_of_key(std::string_view public_key) { return KeyHash(hex(sha256(public_key))); }

}  // namespace certherd::crypto
