#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "model/identifiers.hpp"
#include "model/key_type.hpp"

namespace certherd {

/// An ACME account as the store keeps it. The key is written before the CA hears of it.
struct Account {
  /// A key that is to take the place of the present one. It stays until the CA signs with it or has
  /// refused it, since a request to change to it may arrive late.
  struct NextKey {
    KeyType type = KeyType::ecdsa_p256;
    std::string sealed;      ///< as sealed_key, for the same purpose
    std::string thumbprint;  ///< RFC 7638, base64url

    bool operator==(const NextKey&) const = default;
  };

  CaName ca;
  std::string directory;  ///< URL of the CA's directory that it belongs to
  KeyType key_type = KeyType::ecdsa_p256;
  std::string sealed_key;  ///< by crypto::Sealer
  std::string thumbprint;  ///< RFC 7638, base64url: names the key without showing it
  AccountUrl url;          ///< empty until the CA has answered
  std::string status;      ///< valid, deactivated or revoked; empty until the CA has answered
  std::vector<std::string> contact;  ///< mailto: URLs
  Time created_at{};
  std::optional<NextKey> next_key;  ///< of a rotation that was begun and has not ended
  std::int64_t revision =
      0;  ///< counts saves, 0: not stored yet; a save names the one it builds on
};

}  // namespace certherd
