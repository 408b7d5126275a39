#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "crypto/local_ca.hpp"
#include "crypto/private_key.hpp"
#include "model/material.hpp"

namespace certherd::fakes {

/// A small CA whose certificates are valid for 90 days; their chains are leaf and root.
class Issuer {
 public:
  explicit Issuer(Time now) : now_(now), ca_("Issuer of tests", now) {}

  /// For a fresh P-256 key.
  Material issue(const std::vector<std::string>& names, std::uint64_t serial) const;
  Material issue(const crypto::PrivateKey& key, const std::vector<std::string>& names,
                 std::uint64_t serial) const;

  /// Certificates from now on begin at that time.
  void set_now(Time now) { now_ = now; }

  const std::string& root_pem() const { return ca_.root_pem(); }

 private:
  Time now_;
  crypto::LocalCa ca_;
};

}  // namespace certherd::fakes
