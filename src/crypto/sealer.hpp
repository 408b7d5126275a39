#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/secret.hpp"

namespace certherd::crypto {

/// Seals private keys at rest with AES-256-GCM under the seal key of the config. Texts are
/// "v1.<key id>.<base64 of nonce, ciphertext and tag>"; the key id is the first 8 hex digits of
/// the SHA-256 of a fixed label and the seal key, and tells a wrong key from damaged data. While
/// keys change, it opens what former ones have sealed.
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

  /// From then on, opens what was sealed under `former`, and under what that opens, too.
  void also_open(Sealer former);

  /// Errors: misconfigured when it was sealed under a key that is not known here, naming that key
  /// and the present one; rejected when it was changed or belongs to another purpose.
  Result<Secret<std::string>> open(std::string_view sealed, std::string_view purpose) const;

  /// Whether `sealed` is under our own key, and not a former one.
  bool sealed_here(std::string_view sealed) const;

  const std::string& key_id() const { return key_id_; }

 private:
  Sealer(Secret<std::string> key, std::string key_id);

  std::string key_id_;
  std::map<std::string, Secret<std::string>, std::less<>> keys_;  ///< by id; ours among them
};

}  // namespace certherd::crypto
