#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/secret.hpp"

namespace certherd::crypto {

/// Seals private keys at rest with AES-256-GCM under the seal key of the config. Texts are
/// "v1.<key id>.<base64 of nonce, ciphertext and tag>"; the key id is the first 8 hex digits of
/// the SHA-256 of a fixed label and the seal key, and tells a wrong key from damaged data.
class Sealer {
 public:
  /// `key` is 32 bytes. Errors: misconfigured for any other length.
  static Result<Sealer> make(Secret<std::string> key);

  /// A new random seal key, as base64 text for its file.
  static Secret<std::string> new_key_text();

  /// Reads what new_key_text() wrote; white space around it is dropped. Errors: misconfigured.
  static Result<Sealer> from_key_text(const Secret<std::string>& text);

  /// `purpose` is bound in as associated data: only the same one opens it again.
  std::string seal(const Secret<std::string>& plain, std::string_view purpose) const;

  /// Errors: misconfigured when it was sealed under another key, rejected when it was changed or
  /// belongs to another purpose.
  Result<Secret<std::string>> open(std::string_view sealed, std::string_view purpose) const;

  const std::string& key_id() const { return key_id_; }

 private:
  Sealer(Secret<std::string> key, std::string key_id)
      : key_(std::move(key)), key_id_(std::move(key_id)) {}
  Secret<std::string> key_;
  std::string key_id_;
};

}  // namespace certherd::crypto
