#include "model/fqdn.hpp"

#include <idn2.h>

#include <algorithm>
#include <memory>
#include <stdexcept>

namespace certherd {
namespace {

// RFC 1035 section 2.3.4; 253 is what is left of 255 octets on the wire in text form.
constexpr std::size_t longest_name = 253;
constexpr std::size_t longest_label = 63;

constexpr std::string_view wildcard_prefix = "*.";

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// What goes into an error's text: outside text may hold anything and be of any length.
std::string shown(std::string_view text) {
  constexpr std::size_t limit = 80;
  std::string words(text.substr(0, limit));
  std::ranges::replace_if(
      words, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
  return "\"" + words + (text.size() > limit ? "…\"" : "\"");
}

tl::unexpected<Error> bad_name(std::string_view name, std::string_view why) {
  return fail(Error::Kind::misconfigured, "name " + shown(name), std::string(why));
}

/// UTS #46, non-transitional, to A-labels. ASCII names are left alone: libidn2 refuses some that
/// exist, such as labels with hyphens in third and fourth place.
Result<std::string> to_ascii(std::string_view name) {
  if (is_ascii(name)) return std::string(name);
  const std::string terminated(name);
  char* converted = nullptr;
  const int code =
      idn2_to_ascii_8z(terminated.c_str(), &converted, IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT);
  const std::unique_ptr<char, void (*)(void*)> owner(converted, &idn2_free);
  if (code != IDN2_OK) return bad_name(name, std::string("no valid IDN: ") + idn2_strerror(code));
  return std::string(converted);
}

/// Why this may not be a label; empty when it may.
std::string label_fault(std::string_view label) {
  const auto which = [label](std::string_view fault) {
    return "label " + shown(label) + std::string(fault);
  };
  if (label.empty()) return "it has an empty label";
  if (label.size() > longest_label) return which(" is longer than 63 octets");
  if (label == "*") return "a wildcard may only be the whole first label";
  const auto allowed = [](char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '_'; };
  if (!std::ranges::all_of(label, allowed)) {
    return which(" may only hold letters, digits, hyphens and underscores");
  }
  if (label.starts_with('-') || label.ends_with('-')) {
    return which(" may not begin or end with a hyphen");
  }
  return {};
}

}  // namespace

Result<Fqdn> Fqdn::parse(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) return bad_name(text, "it has a zero octet");
  std::string_view name = text;
  const bool wildcard = name.starts_with(wildcard_prefix);
  if (wildcard) name.remove_prefix(wildcard_prefix.size());

  auto ascii = to_ascii(name);
  if (!ascii) return fail(std::move(ascii.error()));
  if (ascii->ends_with('.')) ascii->pop_back();
  if (ascii->empty()) return bad_name(text, "it is empty");
  if (ascii->size() + (wildcard ? wildcard_prefix.size() : 0) > longest_name) {
    return bad_name(text, "it is longer than 253 octets");
  }

  std::string_view rest = *ascii;
  std::string_view last;
  while (true) {
    const auto dot = rest.find('.');
    last = rest.substr(0, dot);
    if (auto fault = label_fault(last); !fault.empty()) return bad_name(text, fault);
    if (dot == std::string_view::npos) break;
    rest.remove_prefix(dot + 1);
  }
  // No top-level domain is all digits (RFC 3696 section 2), so this is an IPv4 address.
  if (std::ranges::all_of(last, is_digit)) {
    return bad_name(text, "it is an address or ends in a number, a host name is needed");
  }

  std::ranges::transform(*ascii, ascii->begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return Fqdn(wildcard ? std::string(wildcard_prefix) + *ascii : std::move(*ascii));
}

Fqdn Fqdn::literal(std::string_view text) {
  auto name = parse(text);
  if (!name) throw std::logic_error(name.error().message());
  return std::move(*name);
}

Fqdn Fqdn::without_wildcard() const {
  return is_wildcard() ? Fqdn(text_.substr(wildcard_prefix.size())) : *this;
}

Fqdn Fqdn::challenge_name() const { return Fqdn("_acme-challenge." + without_wildcard().text_); }

Fqdn Fqdn::parent() const {
  const auto dot = text_.find('.');
  return dot == std::string::npos ? Fqdn() : Fqdn(text_.substr(dot + 1));
}

bool Fqdn::is_within(const Fqdn& zone) const {
  if (zone.empty() || !text_.ends_with(zone.text_)) return false;
  const std::size_t above = text_.size() - zone.text_.size();
  return above == 0 || text_[above - 1] == '.';
}

bool Fqdn::covers(const Fqdn& host) const {
  if (empty()) return false;
  return *this == host || (is_wildcard() && host.parent() == without_wildcard());
}

}  // namespace certherd
