#pragma once

#include <filesystem>
#include <string>

#include "app/config.hpp"
#include "crypto/sealer.hpp"

namespace certherd::app {

/// Where the key that follows on a seal key's file waits until it takes its place.
std::filesystem::path next_seal_key(const std::filesystem::path& seal_key);

/// Where the seal key of that id is kept once another one has taken its place.
std::filesystem::path former_seal_key(const std::filesystem::path& seal_key,
                                      const std::string& key_id);

/// A seal key by itself. Errors: misconfigured.
Result<crypto::Sealer> read_seal_key(const SecretSource& source);

/// The seal key of the config. It also opens what was sealed under the config's old seal keys, and
/// under what `store reseal` keeps beside a seal key's file: the key to come and the former ones.
/// Errors: misconfigured, for the keys that the config names.
Result<crypto::Sealer> open_seal_keys(const Config& config);

}  // namespace certherd::app
