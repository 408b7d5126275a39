#pragma once

#include <string>
#include <vector>

#include "base/time.hpp"
#include "model/identifiers.hpp"
#include "model/key_type.hpp"

namespace certherd {

/// An ACME account as the store keeps it. The key is written before the CA hears of it.
struct Account {
  CaName ca;
  std::string directory;  ///< URL of the CA's directory that it belongs to
  KeyType key_type = KeyType::ecdsa_p256;
  std::string sealed_key;  ///< by crypto::Sealer
  std::string thumbprint;  ///< RFC 7638, base64url: names the key without showing it
  AccountUrl url;          ///< empty until the CA has answered
  std::string status;      ///< valid, deactivated or revoked; empty until the CA has answered
  std::vector<std::string> contact;  ///< mailto: URLs
  Time created_at{};
};

}  // namespace certherd
