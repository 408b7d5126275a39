#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace certherd {

/// Kinds of certificate and account keys, by their names in the config.
enum class KeyType { ecdsa_p256, ecdsa_p384, rsa_2048, rsa_3072, rsa_4096, ed25519 };

/// Those that a certificate may have, in the order in which `auto` prefers them: RSA is for those
/// who need it.
inline constexpr std::array certificate_key_types = {KeyType::ecdsa_p256, KeyType::ecdsa_p384,
                                                     KeyType::rsa_2048, KeyType::rsa_3072,
                                                     KeyType::rsa_4096};

/// What a domain or [defaults] say about keys.
struct KeyChoice {
  std::optional<KeyType> type = std::nullopt;  ///< nothing: what all targets take
  bool keep = false;  ///< the key of the certificate before, where there is one

  bool operator==(const KeyChoice&) const = default;
};

/// "auto", "keep" or the name of a type that a certificate may have.
std::optional<KeyChoice> parse_key_choice(std::string_view text);
std::string_view to_string(const KeyChoice& choice);

/// Those texts, as a list for people.
std::string key_choices();

std::string_view to_string(KeyType type);
std::optional<KeyType> parse_key_type(std::string_view text);

}  // namespace certherd
