#include "vault/secrets_manager/names.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/versioned_folder.hpp"

namespace certherd::vault::secrets_manager {
namespace {

// AWS API reference, CreateSecret.
constexpr std::size_t longest_secret_name = 512;
constexpr std::size_t shortest_token = 32;
constexpr std::string_view allowed_punctuation = "/_+=.@-";

constexpr std::size_t longest_domain = 253;
constexpr std::size_t longest_addition = 20;  // "_wildcard." for "*.", and "/private_key"
constexpr std::size_t longest_prefix = longest_secret_name - longest_domain - longest_addition;

constexpr std::size_t longest_key = 40;

bool is_allowed(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
         allowed_punctuation.find(c) != std::string_view::npos;
}

bool is_key(std::string_view text) {
  const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return !text.empty() && text.size() <= longest_key && std::ranges::all_of(text, is_digit);
}

std::string padded(std::string_view key) {
  std::string id = std::string(key) + "-";
  if (id.size() < shortest_token) id.append(shortest_token - id.size(), '0');
  return id;
}

}  // namespace

std::string_view to_string(Part part) {
  switch (part) {
    case Part::private_key:
      return "private_key";
    case Part::csr:
      return "csr";
    case Part::fullchain:
      return "fullchain";
    case Part::bundle:
      return "bundle";
  }
  return "";
}

std::string secret_name(std::string_view prefix, const Fqdn& domain, Part part) {
  return fmt::format("{}{}/{}", prefix, folder_name(domain.text()), to_string(part));
}

Status check_name(std::string_view name) {
  if (!std::ranges::all_of(name, is_allowed)) {
    return fail(Error::Kind::misconfigured, fmt::format("name a secret \"{}\"", name),
                "a name in Secrets Manager may only hold letters, digits and / _ + = . @ -");
  }
  if (name.size() > longest_secret_name) {
    return fail(
        Error::Kind::misconfigured, fmt::format("name a secret \"{}\"", name),
        fmt::format("a name in Secrets Manager has at most {} characters", longest_secret_name));
  }
  return {};
}

Status check_prefix(std::string_view prefix) {
  if (prefix.size() > longest_prefix) {
    return fail(
        Error::Kind::misconfigured, "begin names with the prefix",
        fmt::format("it leaves no room for long domains: at most {} characters", longest_prefix));
  }
  return check_name(prefix);
}

Result<std::string> version_id(std::string_view key) {
  if (is_key(key)) return padded(key);
  return fail(Error::Kind::misconfigured, "name the version",
              "a version is named by a serial of 1 to 40 lower-case hexadecimal digits");
}

std::optional<std::string> key_of(std::string_view version_id) {
  const auto key = version_id.substr(0, version_id.find('-'));
  if (!is_key(key) || version_id != padded(key)) return std::nullopt;
  return std::string(key);
}

}  // namespace certherd::vault::secrets_manager
