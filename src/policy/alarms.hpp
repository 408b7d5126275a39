#pragma once

#include <set>
#include <span>
#include <string>
#include <vector>

#include "model/alarm.hpp"
#include "model/certificate.hpp"
#include "model/domain.hpp"

namespace certherd::policy {

/// What an endpoint of a domain was seen to serve. One that was looked at before the present
/// certificate was installed tells nothing of it, and is not for alarms_of().
struct Seen {
  Endpoint endpoint;
  Serial serial;
  Fingerprint fingerprint;
  std::string issuer;
  Time not_before{};
  Time not_after{};
};

/// A domain as it is now.
struct Watched {
  const Domain& domain;
  const std::optional<Certificate>& certificate;  ///< the current one
  bool working = false;                           ///< an issuance is active
  std::span<const Seen> seen = {};                ///< of endpoints that answered
  /// All of them were looked at since the present certificate was got, and since this process
  /// began: what is not in `seen` is over.
  bool looked_at = true;
};

/// The alarms that should stand for a domain, at most one of a kind; `standing` are those that do.
/// A disabled domain has none.
///
/// failing: from the second failure in a row, from the first that only a person can mend (denied,
/// misconfigured, a name that the CA has paused), not for a limit of somebody else; until a
/// certificate was got. expiring: what is served or held ends within `warn_before`, at most a fifth
/// of its lifetime, since one of a few days would be it all its life; or it was revoked, and could
/// not be replaced, or the domain is held. not_served: it was not served in time, or something else
/// is seen although it is installed and no issuance is under way. What was raised for something
/// that was seen stands until the endpoints were looked at again.
std::vector<Alarm> alarms_of(const Watched& watched, const std::set<Alarm::Kind>& standing,
                             Duration warn_before, Time now);

/// When alarms_of() will next give something else, if nothing happens until then but that time goes
/// by; Time::max(): never.
Time alarms_change_at(const Watched& watched, Duration warn_before, Time now);

/// The alarm for a CA at which nothing can be ordered because `why`.
Alarm account_alarm(const CaName& ca, const Error& why, Time now);

/// How an alarm has come to be over; `watched` is null where the domain is in the inventory no
/// more.
std::string ending_of(const Alarm& alarm, const Watched* watched);

}  // namespace certherd::policy
