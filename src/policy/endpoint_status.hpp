#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "base/time.hpp"

namespace certherd::policy {

/// `status` of docs/output.md, of an endpoint that was looked at.
enum class EndpointStatus {
  ok,
  expiring,
  expired,
  not_yet_valid,
  name_mismatch,
  untrusted,
  unreachable,
};

constexpr std::array endpoint_statuses = {EndpointStatus::ok,
                                          EndpointStatus::expiring,
                                          EndpointStatus::expired,
                                          EndpointStatus::not_yet_valid,
                                          EndpointStatus::name_mismatch,
                                          EndpointStatus::untrusted,
                                          EndpointStatus::unreachable};

std::string_view to_string(EndpointStatus status);

/// What a judgement of a served certificate needs to know of it.
struct ServedCertificate {
  Time not_before{};
  Time not_after{};
  bool name_matches = false;
  bool trusted = false;
};

/// Everything that is wrong with it, what matters most first: expired, not_yet_valid,
/// name_mismatch, untrusted, expiring. Empty: it is ok.
std::vector<EndpointStatus> faults_of(const ServedCertificate& served, Duration warn_before,
                                      Time now);

/// How long before its end a certificate is called expiring: `warn_before`, but never more than a
/// third of its lifetime, since one that lives for six days would be it from its first day on.
Duration warning_span(const ServedCertificate& served, Duration warn_before);

/// Whole days until then, rounded down: 0 on the last day, negative afterwards.
int days_until(Time when, Time now);

}  // namespace certherd::policy
