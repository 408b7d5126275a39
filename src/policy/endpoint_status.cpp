#include "policy/endpoint_status.hpp"

#include <algorithm>

namespace certherd::policy {

std::string_view to_string(EndpointStatus status) {
  switch (status) {
    case EndpointStatus::ok:
      return "ok";
    case EndpointStatus::expiring:
      return "expiring";
    case EndpointStatus::expired:
      return "expired";
    case EndpointStatus::not_yet_valid:
      return "not_yet_valid";
    case EndpointStatus::name_mismatch:
      return "name_mismatch";
    case EndpointStatus::untrusted:
      return "untrusted";
    case EndpointStatus::unreachable:
      return "unreachable";
  }
  return "unreachable";
}

Duration warning_span(const ServedCertificate& served, Duration warn_before) {
  return std::min(warn_before, (served.not_after - served.not_before) / 3);
}

std::vector<EndpointStatus> faults_of(const ServedCertificate& served, Duration warn_before,
                                      Time now) {
  using enum EndpointStatus;
  const bool ended = served.not_after <= now;
  const bool ends_soon = served.not_after - warning_span(served, warn_before) < now;
  std::vector<EndpointStatus> faults;
  if (ended) faults.push_back(expired);
  if (served.not_before > now) faults.push_back(not_yet_valid);
  if (!served.name_matches) faults.push_back(name_mismatch);
  if (!served.trusted) faults.push_back(untrusted);
  if (ends_soon && !ended) faults.push_back(expiring);
  return faults;
}

int days_until(Time when, Time now) {
  return static_cast<int>(std::chrono::floor<std::chrono::days>(when - now).count());
}

}  // namespace certherd::policy
