#include "deploy/acm/failure.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace certherd::deploy::acm {
namespace {

using Kind = Error::Kind;

struct Meaning {
  std::string_view code;
  Kind kind;
  std::string_view remedy;
};

// LimitExceededException is a quota (ACM user guide, quotas), and waits like a limit: the imports
// of 365 days come back one by one, and a person can have it raised. ConflictException tells of a
// change that is still under way.
constexpr std::array meanings = {
    Meaning{"LimitExceededException", Kind::throttled,
            "a quota of Certificate Manager is used up, by default 2,500 certificates and 5,000 "
            "imports in 365 days: have it raised (AWS Service Quotas), or delete certificates that "
            "nobody needs"},
    Meaning{"ConflictException", Kind::transient, ""},
    Meaning{"RequestInProgressException", Kind::transient, ""},
    Meaning{"ResourceInUseException", Kind::conflict, ""},
    Meaning{"ResourceNotFoundException", Kind::not_found, ""},
    Meaning{"InvalidArnException", Kind::misconfigured, ""},
    Meaning{"InvalidArgsException", Kind::misconfigured, ""},
    Meaning{"InvalidParameterException", Kind::misconfigured, ""},
    Meaning{"ValidationException", Kind::misconfigured, ""},
    Meaning{"InvalidTagException", Kind::misconfigured, "check `tags` of the target"},
    Meaning{"TooManyTagsException", Kind::misconfigured, "check `tags` of the target"},
    Meaning{"TagPolicyException", Kind::misconfigured,
            "a tag policy of the organization forbids these tags: set `tags` of the target so that "
            "it allows them"},
};

}  // namespace

aws::Failure explained(aws::Failure failure) {
  const auto* const found = std::ranges::find(meanings, failure.code, &Meaning::code);
  if (found == meanings.end()) {
    if (failure.error.kind == Kind::rejected) failure.error.kind = Kind::misconfigured;
    return failure;
  }
  failure.error.kind = found->kind;
  if (!found->remedy.empty()) {
    failure.error.detail += " (";
    failure.error.detail += found->remedy;
    failure.error.detail += ")";
  }
  return failure;
}

bool may_have_worked(const aws::Failure& failure) {
  const bool tells = failure.status != 0 && failure.status < 500;
  return failure.error.kind == Kind::transient && !tells;
}

}  // namespace certherd::deploy::acm
