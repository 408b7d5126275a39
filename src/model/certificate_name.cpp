#include "model/certificate_name.hpp"

#include <idn2.h>

#include <algorithm>
#include <memory>

namespace certherd {
namespace {

constexpr std::ptrdiff_t most_labels = 10;

using Text = std::unique_ptr<char, void (*)(void*)>;

/// An A-label that another one would be the right form of, or that is none, names nothing that a
/// CA could check (RFC 5891 section 5.4). Labels whose characters IDNA does not allow, such as
/// those of emoji, exist and are left to the CA.
bool is_a_label(const std::string& label) {
  char* decoded = nullptr;
  const int decoding = idn2_to_unicode_8z8z(label.c_str(), &decoded, 0);
  const Text unicode(decoded, &idn2_free);
  if (decoding != IDN2_OK) return false;
  char* encoded = nullptr;
  const int encoding =
      idn2_to_ascii_8z(unicode.get(), &encoded, IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT);
  const Text ascii(encoded, &idn2_free);
  return encoding == IDN2_OK ? label == ascii.get() : encoding == IDN2_DISALLOWED;
}

std::string label_fault(const std::string& label) {
  if (label.contains('_')) return "label \"" + label + "\" has an underscore, which no CA signs";
  const bool hyphens = label.size() >= 4 && label[2] == '-' && label[3] == '-';
  if (!hyphens) return {};
  if (!label.starts_with("xn--")) {
    return "label \"" + label +
           "\" has hyphens in third and fourth place, which only xn-- may have";
  }
  if (!is_a_label(label)) return "label \"" + label + "\" is no valid IDN (A-label)";
  return {};
}

std::string fault(const Fqdn& name) {
  const auto base = name.without_wildcard();
  const auto labels = std::ranges::count(name.text(), '.') + 1;
  if (base.parent().empty()) {
    return name.is_wildcard() ? "a wildcard needs two labels behind it, as in *.example.com"
                              : "it has one label, at least two are needed, as in www.example.com";
  }
  if (labels > most_labels) {
    return "it has " + std::to_string(labels) + " labels, CAs take at most 10";
  }
  for (Fqdn rest = base; !rest.empty(); rest = rest.parent()) {
    if (auto found = label_fault(rest.text().substr(0, rest.text().find('.'))); !found.empty()) {
      return found;
    }
  }
  return {};
}

}  // namespace

Status check_certificate_name(const Fqdn& name) {
  auto why = fault(name);
  if (why.empty()) return {};
  return fail(Error::Kind::misconfigured, "name \"" + name.text() + "\"", std::move(why));
}

Result<Fqdn> parse_certificate_name(std::string_view text) {
  auto name = Fqdn::parse(text);
  if (!name) return name;
  if (auto allowed = check_certificate_name(*name); !allowed) {
    return fail(std::move(allowed.error()));
  }
  return name;
}

}  // namespace certherd
