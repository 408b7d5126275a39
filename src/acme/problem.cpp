#include "acme/problem.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <memory>
#include <utility>

#include "acme/content_type.hpp"
#include "acme/object_reader.hpp"
#include "acme/urls.hpp"
#include "base/utf8.hpp"

namespace certherd::acme {
namespace {

namespace json = boost::json;
using Kind = Error::Kind;

constexpr std::size_t most_subproblems = 100;

// How long to leave a server alone that says "too many" but not until when.
constexpr auto unsaid_wait = std::chrono::minutes(1);

// A paused account waits for a person, who may ask again at any time.
constexpr auto paused_wait = std::chrono::hours(24);

// The longest of Let's Encrypt's limits is over in a week; who asks for more is not believed, since
// certificates run out meanwhile.
constexpr auto longest_wait = std::chrono::days(7);

struct Meaning {
  std::string_view type;  ///< behind urn:ietf:params:acme:error:
  Kind kind;
  std::string_view remedy;  ///< what a person can do about it, where the server cannot know
};

// RFC 8555 section 6.7; autoRenewal… from RFC 8739, unknownDelegation from RFC 9115,
// onionCAARequired from RFC 9799, alreadyReplaced from RFC 9773, invalidProfile from the profiles
// draft. `malformed` is not here: it also stands on a 404, so its status decides.
constexpr std::array meanings = {
    Meaning{"accountDoesNotExist", Kind::denied, "register it: certherd account register"},
    Meaning{"alreadyReplaced", Kind::conflict, ""},
    Meaning{"alreadyRevoked", Kind::conflict, ""},
    Meaning{"autoRenewalCanceled", Kind::rejected, ""},
    Meaning{"autoRenewalCancellationInvalid", Kind::rejected, ""},
    Meaning{"autoRenewalExpired", Kind::rejected, ""},
    Meaning{"autoRenewalRevocationNotSupported", Kind::rejected, ""},
    Meaning{"badCSR", Kind::rejected, "if it is about the key, choose another key type"},
    Meaning{"badNonce", Kind::transient, ""},
    Meaning{"badPublicKey", Kind::misconfigured, "choose another account_key"},
    Meaning{"badRevocationReason", Kind::rejected, "choose another reason"},
    Meaning{"badSignatureAlgorithm", Kind::misconfigured, "choose another account_key"},
    Meaning{"caa", Kind::rejected, "let the domain's CAA records name this CA"},
    Meaning{"compound", Kind::rejected, ""},
    Meaning{"connection", Kind::rejected, ""},
    Meaning{"dns", Kind::rejected, "see what its name servers answer: certherd doctor"},
    Meaning{"externalAccountRequired", Kind::misconfigured, "set eab for this CA"},
    Meaning{"incorrectResponse", Kind::rejected, ""},
    Meaning{"invalidContact", Kind::misconfigured, "correct contact for this CA"},
    Meaning{"invalidProfile", Kind::misconfigured, "choose another profile"},
    Meaning{"onionCAARequired", Kind::rejected, ""},
    Meaning{"orderNotReady", Kind::conflict, ""},
    Meaning{"rateLimited", Kind::throttled, ""},
    Meaning{"rejectedIdentifier", Kind::rejected, "take the name out or choose another CA"},
    Meaning{"serverInternal", Kind::transient, ""},
    Meaning{"tls", Kind::rejected, ""},
    Meaning{"unauthorized", Kind::denied, ""},
    Meaning{"unknownDelegation", Kind::rejected, ""},
    Meaning{"unsupportedContact", Kind::misconfigured, "correct contact for this CA"},
    Meaning{"unsupportedIdentifier", Kind::rejected, "take the name out or choose another CA"},
    Meaning{"userActionRequired", Kind::misconfigured, ""},
};

const Meaning* meaning_of(const Problem& problem) {
  const auto* found = std::ranges::find_if(
      meanings, [&problem](const Meaning& row) { return problem.is_acme(row.type); });
  return found == meanings.end() ? nullptr : found;
}

Kind kind_of_status(int status) {
  switch (status) {
    case 401:
    case 403:
      return Kind::denied;
    case 404:
    case 410:
      return Kind::not_found;
    case 408:
      return Kind::transient;
    case 409:
      return Kind::conflict;
    case 429:
      return Kind::throttled;
    case 501:  // step-ca says so for what it never will do
      return Kind::rejected;
    default:
      return status >= 500 ? Kind::transient : Kind::rejected;
  }
}

std::string text_of(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  return cleaned(value == nullptr ? std::string_view() : as_text(*value).value_or(""));
}

Problem::Subproblem parse_subproblem(const json::object& object) {
  Problem::Subproblem sub{text_of(object, "type"), text_of(object, "detail"), ""};
  if (const auto* name = object.if_contains("identifier"); name != nullptr && name->is_object()) {
    sub.identifier = text_of(name->get_object(), "value");
  }
  return sub;
}

std::optional<Problem> problem_in(const http::Response& response) {
  const auto type = content_type(response);
  if (type != "application/problem+json" && type != "application/json") return std::nullopt;
  boost::system::error_code error;
  const auto value = json::parse(response.body, error);
  if (error || !value.is_object()) return std::nullopt;
  return parse_problem(value.get_object());
}

std::string words_of(const Problem& problem) {
  for (const auto* words : {&problem.detail, &problem.title, &problem.type}) {
    if (!words->empty()) return *words;
  }
  return "the CA does not say why";
}

Error explain(std::string op, Problem problem) {
  Error error;
  const auto* meaning = meaning_of(problem);
  error.kind = meaning != nullptr ? meaning->kind : kind_of_status(problem.status);
  error.op = std::move(op);
  error.detail = words_of(problem);
  if (meaning != nullptr && !meaning->remedy.empty()) {
    error.detail += fmt::format(" ({})", meaning->remedy);
  }
  // RFC 8555 section 6.7.1: a problem of several names has a part for each.
  error.causes.reserve(problem.subproblems.size());
  for (const auto& sub : problem.subproblems) {
    Problem part;
    part.type = sub.type;
    part.detail = sub.detail;
    const auto* own = meaning_of(part);
    Error cause;
    cause.kind = own != nullptr ? own->kind : error.kind;
    cause.op = sub.identifier;
    cause.detail = words_of(part);
    error.causes.push_back(std::move(cause));
  }
  error.problem = std::make_shared<const Problem>(std::move(problem));
  return error;
}

// Where a person is to look: RFC 8555 section 7.3.3 for terms that have changed and whatever else
// has to be done by hand, section 6.6 for limits.
std::vector<std::string> pages_for_people(const Problem& problem, const http::Response& response) {
  std::vector<std::string> pages;
  if (!problem.instance.empty()) pages.push_back(problem.instance);
  const auto* relation = problem.is_acme("userActionRequired") ? "terms-of-service"
                         : problem.is_acme("rateLimited")      ? "help"
                                                               : nullptr;
  if (relation == nullptr) return pages;
  for (auto& link : links(response, relation)) {
    if (std::ranges::find(pages, link) == pages.end()) pages.push_back(std::move(link));
  }
  return pages;
}

}  // namespace

Problem parse_problem(const json::object& object) {
  Problem problem;
  problem.type = text_of(object, "type");
  problem.title = text_of(object, "title");
  problem.detail = text_of(object, "detail");
  problem.instance = text_of(object, "instance");
  const auto* status = object.if_contains("status");
  if (status != nullptr && status->is_int64() && status->get_int64() >= 100 &&
      status->get_int64() < 600) {
    problem.status = static_cast<int>(status->get_int64());
  }
  const auto* parts = object.if_contains("subproblems");
  if (parts == nullptr || !parts->is_array()) return problem;
  for (const auto& part : parts->get_array()) {
    if (problem.subproblems.size() == most_subproblems) break;
    if (part.is_object()) problem.subproblems.push_back(parse_subproblem(part.get_object()));
  }
  return problem;
}

Error to_error(std::string op, const http::Response& response, Time now) {
  auto retry_at = http::retry_after(response, now);
  if (retry_at) retry_at = std::min(*retry_at, now + longest_wait);
  Error error;
  if (auto problem = problem_in(response)) {
    problem->status = response.status;  // the advisory copy in the body may differ
    const bool limited = problem->is_acme("rateLimited");
    const auto pages = pages_for_people(*problem, response);
    error = explain(std::move(op), std::move(*problem));
    if (!pages.empty()) error.detail += fmt::format(" (see {})", fmt::join(pages, " and "));
    // Boulder pauses an account's name for good in these words: only a person can lift it, and the
    // detail holds the URL for it.
    if (limited && !retry_at) {
      error.kind = Kind::rejected;
      error.detail += " (a person has to lift this at the CA; until then it is asked once a day)";
      retry_at = now + paused_wait;
    }
  } else {
    const auto type = content_type(response);
    error.kind = kind_of_status(response.status);
    error.op = std::move(op);
    error.detail = fmt::format("the server answered {} with {}", response.status,
                               type.empty() ? "no content" : type);
    const auto elsewhere = response.header("location");
    if (response.status >= 300 && response.status < 400 && elsewhere) {
      // RFC 8555 knows no redirects, and a signature holds for one URL.
      error.detail = fmt::format(
          "the server leads on to {}: redirects are not followed, so the config has to name the "
          "right URL of the CA",
          cleaned(*elsewhere));
    }
  }
  // RFC 8555 section 7.3.5: which account has the key already.
  if (const auto other = response.header("location"); other && response.status == 409) {
    error.detail += fmt::format(" (see {})", *other);
  }
  error.retry_at = retry_at;
  if (error.kind == Kind::throttled && !retry_at) error.retry_at = now + unsaid_wait;
  return error;
}

Error validation_error(std::string op, const json::object& problem) {
  auto error = explain(std::move(op), parse_problem(problem));
  error.kind = Kind::rejected;
  return error;
}

}  // namespace certherd::acme
