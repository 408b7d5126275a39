#include "dns/route53/names.hpp"

#include <cctype>

#include "dns/route53/octal.hpp"

namespace certherd::dns::route53 {
namespace {

bool is_plain(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.';
}

}  // namespace

std::string spell(const Fqdn& name) {
  std::string spelled;
  spelled.reserve(name.text().size() + 4);
  for (const char c : name.text()) {
    if (is_plain(c)) {
      spelled.push_back(c);
    } else {
      append_octal(spelled, c);
    }
  }
  spelled.push_back('.');
  return spelled;
}

std::optional<Fqdn> read_name(std::string_view spelled) {
  std::string text;
  while (!spelled.empty()) {
    if (spelled.front() != '\\') {
      text.push_back(spelled.front());
      spelled.remove_prefix(1);
      continue;
    }
    const auto octet = take_octal(spelled);
    // A dot inside of a label, or octets that Fqdn would take for Unicode.
    if (!octet || *octet == '.' || static_cast<unsigned char>(*octet) >= 0x80) return std::nullopt;
    text.push_back(*octet);
  }
  auto name = Fqdn::parse(text);
  if (!name) return std::nullopt;
  return std::move(*name);
}

std::string order_key(const Fqdn& name) {
  std::string key;
  std::string_view rest = name.text();
  while (!rest.empty()) {
    const auto dot = rest.rfind('.');
    key += dot == std::string_view::npos ? rest : rest.substr(dot + 1);
    key.push_back('.');
    rest = dot == std::string_view::npos ? std::string_view() : rest.substr(0, dot);
  }
  return key;
}

std::string bare_id(std::string_view id) {
  const auto slash = id.rfind('/');
  return std::string(slash == std::string_view::npos ? id : id.substr(slash + 1));
}

}  // namespace certherd::dns::route53
