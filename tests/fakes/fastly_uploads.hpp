#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "fakes/fastly_objects.hpp"

namespace certherd::fakes::fastly {

/// A private key as Fastly takes it: RSA 2048, ECDSA P-256 or P-384.
tl::expected<Key, Refusal> read_key(const std::string& pem);

/// What the first certificate says, after the chain was held against the rules: it has a DNS name,
/// at least one certificate stands above it, each is signed by the next, and it has not expired.
tl::expected<Leaf, Refusal> read_leaf(std::string_view chain_pem, Time now);

}  // namespace certherd::fakes::fastly
