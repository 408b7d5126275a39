#include "deploy/kubernetes/names.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace certherd::deploy::kubernetes {
namespace {

// Kubernetes documentation, "Object Names and IDs" and "Labels and Selectors".
constexpr std::size_t longest_subdomain = 253;
constexpr std::size_t longest_label = 63;

constexpr std::string_view domain_mark = "{domain}";

bool is_lower(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool is_alphanumeric(char c) { return is_lower(c) || (c >= 'A' && c <= 'Z'); }

/// RFC 1123, in lower case; of any length.
bool is_dns_label(std::string_view text) {
  return !text.empty() && is_lower(text.front()) && is_lower(text.back()) &&
         std::ranges::all_of(text, [](char c) { return is_lower(c) || c == '-'; });
}

bool is_dns_subdomain(std::string_view text) {
  if (text.size() > longest_subdomain) return false;
  while (true) {
    const auto dot = text.find('.');
    if (!is_dns_label(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

/// The part of a label's key behind the slash, or a value that is not empty.
bool is_label_text(std::string_view text) {
  return !text.empty() && text.size() <= longest_label && is_alphanumeric(text.front()) &&
         is_alphanumeric(text.back()) && std::ranges::all_of(text, [](char c) {
           return is_alphanumeric(c) || c == '-' || c == '_' || c == '.';
         });
}

bool is_label_key(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return is_label_text(text);
  return is_dns_subdomain(text.substr(0, slash)) && is_label_text(text.substr(slash + 1));
}

}  // namespace

Result<std::string> secret_name(std::string_view pattern, const Fqdn& domain) {
  const std::string in_name =
      (domain.is_wildcard() ? "wildcard." : "") + domain.without_wildcard().text();
  std::string name(pattern);
  for (auto at = name.find(domain_mark); at != std::string::npos;
       at = name.find(domain_mark, at + in_name.size())) {
    name.replace(at, domain_mark.size(), in_name);
  }
  if (is_dns_subdomain(name)) return name;
  return fail(Error::Kind::misconfigured, fmt::format("name the Secret of {}", domain),
              fmt::format("\"{}\" is no name for an object of Kubernetes (lower-case letters, "
                          "digits, '-' and '.', at most {}): choose another `name`",
                          name, longest_subdomain));
}

Status check_namespace(std::string_view name) {
  if (name.size() <= longest_label && is_dns_label(name)) return {};
  return fail(Error::Kind::misconfigured, "read the namespace",
              fmt::format("\"{}\" is no name of a namespace: lower-case letters, digits and '-', "
                          "at most {}",
                          name, longest_label));
}

Status check_labels(const std::map<std::string, std::string>& labels) {
  const std::string op = "read the labels";
  for (const auto& [key, value] : labels) {
    if (key == managed_by_label) {
      return fail(Error::Kind::misconfigured, op,
                  fmt::format("{} is certherd's own mark: leave it out", key));
    }
    if (!is_label_key(key) || (!value.empty() && !is_label_text(value))) {
      return fail(Error::Kind::misconfigured, op,
                  fmt::format("{}={} is no label: letters, digits, '-', '_' and '.', at most {} "
                              "each, and before a '/' a domain",
                              key, value, longest_label));
    }
  }
  return {};
}

}  // namespace certherd::deploy::kubernetes
