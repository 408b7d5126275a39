#include "dns/route53/errors.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace certherd::dns::route53 {
namespace {

using Kind = Error::Kind;

struct Meaning {
  std::string_view code;
  Kind kind;
  std::string_view remedy;
};

// What every service of AWS may say, throttling and missing rights among it, aws::Failure knows;
// it stands here only where it means something else for Route 53.
constexpr std::array meanings = {
    Meaning{"PriorRequestNotComplete", Kind::throttled,
            "an earlier request of the zone is still under way; the next one waits longer"},
    Meaning{"ConcurrentModification", Kind::transient,
            "something else changed it at the same time; it is tried again"},
    Meaning{"InvalidChangeBatch", Kind::rejected, ""},
    Meaning{"InvalidInput", Kind::rejected, ""},
    Meaning{"InvalidDomainName", Kind::rejected, ""},
    Meaning{"NoSuchHostedZone", Kind::not_found,
            "correct the domain's zone_id, or leave it out so that the zone is found by name"},
    Meaning{"NoSuchChange", Kind::not_found, "Route 53 no longer knows that change"},
    Meaning{"LimitsExceeded", Kind::rejected,
            "raise that quota of the AWS account, or remove what is not needed"},
};

}  // namespace

Error to_error(const aws::Failure& failure) {
  Error error = failure.error;
  const auto* meaning = std::ranges::find(meanings, failure.code, &Meaning::code);
  if (meaning == meanings.end()) return error;
  error.kind = meaning->kind;
  if (!meaning->remedy.empty()) error.detail.append("; ").append(meaning->remedy);
  return error;
}

bool wants_a_gap(const aws::Failure& failure) { return failure.code == "PriorRequestNotComplete"; }

bool is_about_the_batch(const aws::Failure& failure) {
  return failure.code == "InvalidChangeBatch" || failure.code == "InvalidInput" ||
         failure.code == "InvalidDomainName";
}

bool is_about_a_quota(const aws::Failure& failure) { return failure.code == "LimitsExceeded"; }

}  // namespace certherd::dns::route53
