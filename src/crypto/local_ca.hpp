#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "crypto/private_key.hpp"

namespace certherd::crypto {

/// A private CA in memory: it gives the demo's local servers their HTTPS and stands behind the
/// CA of the tests. Its signatures are Ed25519 and so the same for the same input.
class LocalCa {
 public:
  /// A self-signed root `name`, valid for ten years from a day before `now`.
  LocalCa(std::string_view name, Time now);
  /// The same with a given key, for runs that must repeat to the byte.
  LocalCa(std::string_view name, Time now, PrivateKey key);

  const std::string& root_pem() const { return root_pem_; }

  /// A server certificate over `public_key` (DER) for DNS names and IPv4 addresses, with the
  /// given serial; the chain in PEM, leaf first, root last.
  std::string issue(std::string_view public_key, const std::vector<std::string>& names,
                    std::uint64_t serial, Time not_before, Time not_after) const;

  /// Another CA's root signed by this one, in PEM: a second way up for what the other one issued.
  std::string cross_sign(const LocalCa& other) const;

 private:
  PrivateKey key_;
  std::string root_pem_;
};

}  // namespace certherd::crypto
