#include "policy/caa.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

namespace certherd::policy {
namespace {

using Outcome = CaaVerdict::Outcome;

/// RFC 8659 section 4.1.1 gives only 128 a meaning. Let's Encrypt reads 1 alike, because many
/// zones were written by people who took it for the critical bit.
constexpr unsigned critical_bits = 128U | 1U;

/// The value of an issue or issuewild property (RFC 8659 section 4.2).
struct IssueValue {
  std::string issuer;  ///< lower case; empty: nobody
  std::vector<std::pair<std::string, std::string>> parameters;

  std::vector<std::string_view> all(std::string_view tag) const {
    std::vector<std::string_view> values;
    for (const auto& [name, value] : parameters) {
      if (name == tag) values.emplace_back(value);
    }
    return values;
  }
};

char lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

std::string lower_case(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), lower);
  return result;
}

bool is_alphanumeric(char letter) {
  const char low = lower(letter);
  return (low >= 'a' && low <= 'z') || (letter >= '0' && letter <= '9');
}

/// The ABNF of labels and tags alike: letters, digits, and hyphens within.
bool is_word(std::string_view text) {
  return !text.empty() && text.front() != '-' && text.back() != '-' &&
         std::ranges::all_of(text, [](char c) { return c == '-' || is_alphanumeric(c); });
}

bool is_parameter_value(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= 0x21 && c <= 0x7E && c != ';'; });
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t";
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
  const auto last = text.find_last_not_of(blanks);
  return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

bool is_domain_name(std::string_view text) {
  return std::ranges::all_of(split(text, '.'), is_word);
}

/// Nothing when it is not of the form that the RFC gives: then it lets nobody issue.
std::optional<IssueValue> parse_issue_value(std::string_view text) {
  const auto parts = split(text, ';');
  IssueValue value{.issuer = lower_case(trimmed(parts.front())), .parameters = {}};
  if (!value.issuer.empty() && !is_domain_name(value.issuer)) return std::nullopt;
  if (parts.size() == 2 && trimmed(parts.back()).empty()) return value;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const auto equals = parts[i].find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const auto tag = trimmed(parts[i].substr(0, equals));
    const auto content = trimmed(parts[i].substr(equals + 1));
    if (!is_word(tag) || !is_parameter_value(content)) return std::nullopt;
    value.parameters.emplace_back(lower_case(tag), content);
  }
  return value;
}

/// How far one property lets the request through.
struct Fit {
  enum class Degree { another_issuer, wrong_terms, unsure, whole };
  Degree degree = Degree::another_issuer;
  std::string why;
};

/// RFC 8657 section 3.
std::optional<Fit> misfit_of_account(const IssueValue& value, const CaaRequest& request) {
  const auto accounts = value.all("accounturi");
  if (accounts.empty()) return std::nullopt;
  if (accounts.size() > 1) {
    return Fit{Fit::Degree::wrong_terms, "names more than one accounturi, which nobody satisfies"};
  }
  if (request.account.empty()) {
    return Fit{Fit::Degree::unsure,
               fmt::format("wants the account {}, and there is none at this CA yet", accounts[0])};
  }
  if (accounts[0] == request.account) return std::nullopt;
  return Fit{Fit::Degree::wrong_terms,
             fmt::format("wants the account {}, ours is {}", accounts[0], request.account)};
}

/// RFC 8657 section 4.
std::optional<Fit> misfit_of_method(const IssueValue& value, const CaaRequest& request) {
  const auto lists = value.all("validationmethods");
  if (lists.empty()) return std::nullopt;
  if (lists.size() > 1) {
    return Fit{Fit::Degree::wrong_terms,
               "names more than one validationmethods, which nobody satisfies"};
  }
  const auto methods = split(lists[0], ',');
  const bool well_formed = std::ranges::all_of(methods, [](std::string_view method) {
    return !method.empty() &&
           std::ranges::all_of(method, [](char c) { return c == '-' || is_alphanumeric(c); });
  });
  if (well_formed && std::ranges::find(methods, request.method) != methods.end()) {
    return std::nullopt;
  }
  return Fit{Fit::Degree::wrong_terms, fmt::format("allows the validation method \"{}\" and not {}",
                                                   lists[0], request.method)};
}

bool is_issuer(const CaaRequest& request, const std::string& name) {
  return std::ranges::any_of(request.issuers,
                             [&name](const std::string& each) { return lower_case(each) == name; });
}

Fit fit_of(const IssueValue& value, const CaaRequest& request) {
  if (value.issuer.empty() || !is_issuer(request, value.issuer)) return {};
  auto account = misfit_of_account(value, request);
  auto method = misfit_of_method(value, request);
  // What is surely wrong goes before what only might be.
  if (method) return std::move(*method);
  if (account) return std::move(*account);
  return {Fit::Degree::whole, {}};
}

std::string remedy_for(const CaaRequest& request, bool by_issuewild) {
  const auto tag = by_issuewild ? "issuewild" : "issue";
  if (request.issuers.empty()) {
    return fmt::format("ask the CA for its CAA name and let a `0 {} \"…\"` name it", tag);
  }
  return fmt::format("let the set hold `0 {} \"{}\"`", tag, request.issuers.front());
}

}  // namespace

CaaVerdict judge_caa(const std::vector<CaaProperty>& set, const CaaRequest& request) {
  std::vector<const CaaProperty*> issue;
  std::vector<const CaaProperty*> issuewild;
  for (const auto& property : set) {
    const auto tag = lower_case(property.tag);
    if (tag == "issue") {
      issue.push_back(&property);
    } else if (tag == "issuewild") {
      issuewild.push_back(&property);
    } else if (tag != "iodef" && (property.flags & critical_bits) != 0) {
      return {
          .outcome = Outcome::forbidden,
          .reason = fmt::format("`{}` is critical and no CA knows its meaning", property.text()),
          .remedy = "take that property out of the set, or give it the flag 0"};
    }
  }
  // RFC 8659 section 4.3: one issuewild takes the word from all issue, for wildcards alone.
  const bool by_issuewild = request.wildcard && !issuewild.empty();
  const auto& relevant = by_issuewild ? issuewild : issue;
  if (relevant.empty()) return {};

  Fit best;
  const CaaProperty* decisive = nullptr;
  std::set<std::string> named;
  for (const auto* property : relevant) {
    const auto value = parse_issue_value(property->value);
    if (!value) continue;
    if (!value->issuer.empty()) named.insert(value->issuer);
    auto fit = fit_of(*value, request);
    if (fit.degree <= best.degree) continue;
    best = std::move(fit);
    decisive = property;
  }
  if (best.degree == Fit::Degree::whole) {
    return {
        .outcome = Outcome::allowed, .reason = fmt::format("`{}`", decisive->text()), .remedy = {}};
  }
  CaaVerdict verdict{.outcome = Outcome::forbidden,
                     .reason = "nobody may issue",
                     .remedy = remedy_for(request, by_issuewild)};
  if (decisive != nullptr) {
    verdict.reason = fmt::format("`{}` {}", decisive->text(), best.why);
    if (best.degree == Fit::Degree::unsure) verdict.outcome = Outcome::unsure;
    return verdict;
  }
  if (named.empty()) return verdict;
  verdict.reason = fmt::format("only {} may issue", fmt::join(named, ", "));
  if (request.issuers.empty()) {
    verdict.outcome = Outcome::unsure;
    verdict.reason += ", and the CA does not tell by which name it goes";
  } else {
    verdict.reason += fmt::format(", and the CA is {}", fmt::join(request.issuers, ", "));
  }
  return verdict;
}

}  // namespace certherd::policy
