#include "app/domain_filter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "app/inventory_columns.hpp"
#include "model/serial.hpp"
#include "policy/domain_state.hpp"

namespace certherd::app {
namespace {

constexpr std::string_view metadata_prefix = "metadata.";
constexpr std::array<std::string_view, 5> certificate_keys = {
    "certificate.ca", "certificate.issuer", "certificate.key", "certificate.not_after",
    "certificate.serial"};

tl::unexpected<Error> bad(std::string detail) {
  return fail(Error::Kind::misconfigured, "--where", std::move(detail));
}

/// `*` stands for any text. From the last star that was met it goes on as often as needed, so the
/// time is at most the product of the lengths.
bool matches(std::string_view glob, std::string_view text) {
  std::size_t g = 0;
  std::size_t t = 0;
  auto star = std::string_view::npos;
  std::size_t resume = 0;
  while (t < text.size()) {
    if (g < glob.size() && glob[g] == '*') {
      star = g++;
      resume = t;
    } else if (g < glob.size() && glob[g] == text[t]) {
      ++g;
      ++t;
    } else if (star != std::string_view::npos) {
      g = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  return glob.find_first_not_of('*', g) == std::string_view::npos;
}

/// Splits at spaces outside of quotation marks, which are taken away.
Result<std::vector<std::string>> split(std::string_view text) {
  std::vector<std::string> terms;
  bool quoted = false;
  bool open = false;
  for (const char c : text) {
    if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && (c == ' ' || c == '\t')) {
      open = false;
      continue;
    }
    if (!open) terms.emplace_back();
    open = true;
    if (c != '"') terms.back() += c;
  }
  if (quoted) return bad("a quotation mark is opened and never closed");
  return terms;
}

template <typename List>
bool any_matches(std::string_view glob, const List& list) {
  if (list.empty()) return matches(glob, "");
  return std::ranges::any_of(list, [glob](const auto& each) { return matches(glob, each.text()); });
}

template <typename Name>
const std::string& either(const Name& own, const Name& by_default) {
  return own.empty() ? by_default.text() : own.text();
}

bool is_certificate_key(std::string_view key) {
  return std::ranges::count(certificate_keys, key) > 0;
}

bool is_key(std::string_view key) {
  return key == "state" || is_certificate_key(key) || std::ranges::count(known_columns, key) > 0;
}

/// What one of certificate_keys says.
std::string text_of(std::string_view key, const std::optional<Certificate>& certificate) {
  if (!certificate) return {};
  if (key == "certificate.ca") return certificate->ca.text();
  if (key == "certificate.issuer") return certificate->issuer;
  if (key == "certificate.not_after") return format_time(certificate->not_after);
  if (key == "certificate.serial") return certificate->serial.text();
  return certificate->key_type ? std::string(to_string(*certificate->key_type)) : std::string();
}

}  // namespace

Result<DomainFilter> DomainFilter::parse(std::string_view text) {
  auto terms = split(text);
  if (!terms) return fail(std::move(terms.error()));
  DomainFilter filter;
  for (const auto& each : *terms) {
    auto term = parse_term(each);
    if (!term) return fail(std::move(term.error()));
    filter.terms_.push_back(std::move(*term));
  }
  return filter;
}

Result<DomainFilter::Term> DomainFilter::parse_term(std::string_view text) {
  const auto equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0 || text.starts_with("!=")) {
    return bad(fmt::format("\"{}\" is none of KEY=VALUE and KEY!=VALUE", text));
  }
  Term term;
  term.wanted = text[equals - 1] != '!';
  term.key = text.substr(0, term.wanted ? equals : equals - 1);
  term.glob = text.substr(equals + 1);
  if (term.key.starts_with(metadata_prefix)) {
    term.metadata = true;
    term.key.erase(0, metadata_prefix.size());
  }
  if (!term.metadata && (term.key == "domain" || term.key == "names")) {
    if (auto name = Fqdn::parse(term.glob)) term.glob = name->text();
  }
  if (!term.metadata && term.key == "certificate.serial") {
    if (auto serial = parse_serial(term.glob)) term.glob = serial->text();
  }
  return term;
}

Status DomainFilter::check_keys(const std::vector<store::DomainRow>& rows) const {
  for (const auto& term : terms_) {
    if (!term.metadata && is_key(term.key)) continue;
    const auto has = [&term](const store::DomainRow& row) {
      return row.domain.metadata.contains(term.key);
    };
    if (std::ranges::any_of(rows, has)) continue;
    std::set<std::string> keys;
    for (const auto& row : rows) {
      for (const auto& [key, value] : row.domain.metadata) keys.insert(key);
    }
    std::string known = "state";
    for (const auto& column : known_columns) (known += ", ") += column;
    for (const auto& each : certificate_keys) (known += ", ") += each;
    for (const auto& key : keys) (known += ", ") += key;
    return bad(fmt::format("no domain has \"{}\"; there are {}", term.key, known));
  }
  return {};
}

Result<std::vector<store::DomainRow>> DomainFilter::select(std::vector<store::DomainRow> rows,
                                                           const fleet::Defaults& defaults,
                                                           Time now) const {
  if (auto known = check_keys(rows); !known) return fail(std::move(known.error()));
  std::erase_if(rows, [&](const store::DomainRow& row) {
    return !std::ranges::all_of(
        terms_, [&](const Term& term) { return holds(term, row, defaults, now) == term.wanted; });
  });
  return rows;
}

bool DomainFilter::holds(const Term& term, const store::DomainRow& row,
                         const fleet::Defaults& defaults, Time now) {
  const auto& [key, glob, metadata, wanted] = term;
  const auto& domain = row.domain;
  if (!metadata) {
    if (key == "domain") return matches(glob, domain.name.text());
    if (key == "names") return any_matches(glob, domain.all_names());
    if (key == "zone_id") return matches(glob, domain.zone_id.text());
    if (key == "ca") return any_matches(glob, fleet::cas_of(domain, defaults));
    if (key == "dns") return matches(glob, either(domain.dns, defaults.dns));
    if (key == "vault") return matches(glob, either(domain.vault, defaults.vault));
    if (key == "targets") {
      return any_matches(glob, domain.targets.empty() ? defaults.targets : domain.targets);
    }
    if (key == "key") {
      return matches(glob, domain.key.empty() ? std::string(to_string(defaults.key)) : domain.key);
    }
    if (key == "profile") return matches(glob, domain.profile);
    if (key == "endpoints") return any_matches(glob, domain.endpoints);
    if (key == "owner") return matches(glob, domain.owner);
    if (key == "enabled") return matches(glob, domain.enabled ? "true" : "false");
    if (key == "hold") return matches(glob, domain.hold);
    if (key == "window") return matches(glob, domain.window);
    if (key == "state") {
      const auto state =
          policy::state_of(domain, row.certificate, row.working, defaults.renew_at, now);
      return matches(glob, policy::to_string(state));
    }
    if (is_certificate_key(key)) return matches(glob, text_of(key, row.certificate));
  }
  const auto found = domain.metadata.find(key);
  return matches(glob, found == domain.metadata.end() ? std::string_view() : found->second);
}

}  // namespace certherd::app
