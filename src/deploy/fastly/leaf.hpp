#pragma once

#include <set>
#include <string>

#include "base/result.hpp"
#include "model/identifiers.hpp"
#include "model/material.hpp"

namespace certherd::deploy::fastly {

/// What is to be installed, in the terms in which Fastly tells of what is there.
struct Leaf {
  Serial serial;
  std::set<std::string> names;
  Time not_before;
  Time not_after;
  std::string public_key_sha1;  ///< of the PEM of its public key, with the last line break
  std::string pem;
  std::string intermediates;  ///< PEM; empty when there are none
};

/// Errors: rejected when it cannot be read, or is not the version that it is said to be.
Result<Leaf> read_leaf(const Material& material, const std::string& version_key);

}  // namespace certherd::deploy::fastly
