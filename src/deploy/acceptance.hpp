#pragma once

#include <vector>

#include "base/result.hpp"
#include "model/key_type.hpp"
#include "model/material.hpp"

namespace certherd::deploy {

/// What a target takes. Known from the config alone, so that a clash is told before an order is
/// spent.
struct Acceptance {
  enum class Chain {
    any,
    with_intermediates,  ///< there must be a certificate above the leaf
  };

  std::vector<KeyType> keys;  ///< types of the certificate's key
  Chain chain = Chain::any;

  bool takes(KeyType type) const;
};

/// All types that a certificate may have.
std::vector<KeyType> every_key_type();

/// Whether the target takes this. Errors: misconfigured, saying what it wants instead; rejected
/// when chain or key cannot be read.
Status check_accepted(const Acceptance& acceptance, const Material& material);

}  // namespace certherd::deploy
