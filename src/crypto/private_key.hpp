#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/secret.hpp"
#include "model/identifiers.hpp"
#include "model/key_type.hpp"

// OpenSSL's own declaration, so that its headers stay in this room.
struct evp_pkey_st;

namespace certherd::crypto {

/// A private key in OpenSSL's hands. Cheap to copy (the key itself is shared and constant).
class PrivateKey {
 public:
  /// A key of paper (see Pki): it says what it is made of and can do nothing; handle() is null.
  PrivateKey(KeyType type, Secret<std::string> pem, std::string public_key);

  /// Takes as long as it takes (RSA 4096: a second): never on the loop. Errors: transient.
  static Result<PrivateKey> generate(KeyType type);

  /// Reads an unencrypted PEM of any kind that OpenSSL knows. Errors: rejected.
  static Result<PrivateKey> from_pem(const Secret<std::string>& pem);

  /// PKCS #8.
  Secret<std::string> to_pem() const;

  KeyType type() const;

  /// DER of its SubjectPublicKeyInfo: equal for equal keys, however they were read.
  std::string public_key() const;

  evp_pkey_st* handle() const { return key_.get(); }
  explicit PrivateKey(evp_pkey_st* owned);

 private:
  struct Paper;

  std::shared_ptr<evp_pkey_st> key_;
  std::shared_ptr<const Paper> paper_;  ///< what it says; null for a real one
};

/// The PEM of a public key (DER of its SubjectPublicKeyInfo), with the line break at its end.
std::string public_key_pem(std::string_view public_key);

/// What kind of key a public key (DER of its SubjectPublicKeyInfo) is: the name of its KeyType, or
/// one like it for those that we do not use ("rsa-1024", "secp521r1"). Empty when it cannot be
/// read.
std::string key_text(std::string_view public_key);

/// Tells a key by its public half (`public_key` as above), for lists of keys.
KeyHash hash_of_key(std::string_view public_key);

/// Where new keys come from; nothing else may make one. Called off the loop.
class KeySource {
 public:
  virtual ~KeySource() = default;
  virtual Result<PrivateKey> generate(KeyType type) = 0;
};

/// OpenSSL's generator.
class SystemKeySource final : public KeySource {
 public:
  Result<PrivateKey> generate(KeyType type) override { return PrivateKey::generate(type); }
};

}  // namespace certherd::crypto
