#pragma once

#include <fmt/format.h>

#include <compare>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace certherd {

/// A fully qualified domain name as it is stored and compared: A-labels, lower case, no
/// trailing dot. May be a wildcard (`*.example.com`) and may hold underscore labels.
class Fqdn {
 public:
  static constexpr bool names_a_domain = true;  ///< for base/log.hpp

  Fqdn() = default;

  /// Takes what a person or a server wrote: any case, Unicode (UTS #46 non-transitional), one
  /// trailing dot. At most 253 octets, labels 1 to 63, `*` only as the whole first label.
  /// Errors: misconfigured, saying what is wrong with which label.
  static Result<Fqdn> parse(std::string_view text);

  /// For names that the program itself spells out; a wrong one is a defect and throws.
  static Fqdn literal(std::string_view text);

  const std::string& text() const { return text_; }
  bool empty() const { return text_.empty(); }
  bool is_wildcard() const { return text_.starts_with("*."); }

  /// `*.example.com` gives `example.com`; other names themselves.
  Fqdn without_wildcard() const;

  /// Where its dns-01 value stands: `_acme-challenge.` before the name without `*.`
  /// (RFC 8555 section 8.4).
  Fqdn challenge_name() const;

  /// The name less its first label; empty for a single label.
  Fqdn parent() const;

  /// True for `zone` itself and everything below it.
  bool is_within(const Fqdn& zone) const;

  /// Whether a certificate for this (maybe wildcard) name covers `host`: a wildcard stands for
  /// exactly one label (RFC 6125 section 6.4.3).
  bool covers(const Fqdn& host) const;

  auto operator<=>(const Fqdn&) const = default;
  bool operator==(const Fqdn&) const = default;

 private:
  explicit Fqdn(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

}  // namespace certherd

template <>
struct fmt::formatter<certherd::Fqdn> : fmt::formatter<std::string_view> {
  auto format(const certherd::Fqdn& value, fmt::format_context& context) const {
    return fmt::formatter<std::string_view>::format(value.text(), context);
  }
};
