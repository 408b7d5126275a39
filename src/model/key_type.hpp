#pragma once

#include <optional>
#include <string_view>

namespace certherd {

/// Kinds of certificate and account keys, by their names in the config.
enum class KeyType { ecdsa_p256, ecdsa_p384, rsa_2048, rsa_3072, rsa_4096, ed25519 };

std::string_view to_string(KeyType type);
std::optional<KeyType> parse_key_type(std::string_view text);

}  // namespace certherd
