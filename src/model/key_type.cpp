#include "model/key_type.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace certherd {
namespace {

constexpr std::array<std::pair<KeyType, std::string_view>, 6> key_type_names = {{
    {KeyType::ecdsa_p256, "ecdsa-p256"},
    {KeyType::ecdsa_p384, "ecdsa-p384"},
    {KeyType::rsa_2048, "rsa-2048"},
    {KeyType::rsa_3072, "rsa-3072"},
    {KeyType::rsa_4096, "rsa-4096"},
    {KeyType::ed25519, "ed25519"},
}};

}  // namespace

std::string_view to_string(KeyType type) {
  for (const auto& [value, name] : key_type_names) {
    if (value == type) return name;
  }
  return {};
}

std::optional<KeyType> parse_key_type(std::string_view text) {
  for (const auto& [value, name] : key_type_names) {
    if (name == text) return value;
  }
  return std::nullopt;
}

std::optional<KeyChoice> parse_key_choice(std::string_view text) {
  if (text == "auto") return KeyChoice{};
  if (text == "keep") return KeyChoice{.keep = true};
  const auto type = parse_key_type(text);
  if (!type || std::ranges::count(certificate_key_types, *type) == 0) return std::nullopt;
  return KeyChoice{.type = type};
}

std::string_view to_string(const KeyChoice& choice) {
  if (choice.keep) return "keep";
  return choice.type ? to_string(*choice.type) : "auto";
}

std::string key_choices() {
  std::string list = "auto, keep";
  for (const auto type : certificate_key_types) {
    list += ", ";
    list += to_string(type);
  }
  return list;
}

}  // namespace certherd
