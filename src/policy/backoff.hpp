#pragma once

#include <optional>

#include "base/result.hpp"

namespace certherd::policy {

/// Of what failed: when the certificate that it is to replace ends. Nothing when there is none.
using End = std::optional<Time>;

/// What is done about a step that failed.
struct Reaction {
  /// false: the issuance is over; its order is not taken up again.
  bool keep_issuance = true;
  Time retry_at{};
};

/// `failures` is how often the step has failed in a row, this time included; `chance` in [0, 1)
/// spreads the retries.
///
/// A transient error gets four quick retries (1, 2, 4, 8 s). Then, as for every other error, the
/// slow lane: 1, 10, 100 minutes, then daily (Let's Encrypt's integration guide, "Retry"), never
/// before the server's own retry_at. What is `rejected` ends the issuance.
Reaction react(const Error& error, int failures, double chance, Time now, End end = {});

/// Whether what the other side has put off until then has to wait. No such pause is longer than a
/// week and a bit: a later time was written while the clock was ahead, and must not let a
/// certificate run out.
bool must_wait(Time until, Time now);

/// The same of what was put off after `why`. Where that is not throttled, only the slow lane has
/// chosen the time, and no pause of its own is longer than a day and a bit.
bool must_wait(Time until, const std::optional<Error>& why, Time now);

/// The slow lane alone: how long to leave a thing that failed `failures` (>= 1) times in a row. The
/// days before a certificate ends are shorter: an eighth of what is left of it, and 100 minutes at
/// least, since the one try in a day may meet nothing but a broken connection.
Duration slow_lane(int failures, double chance, Time now, End end);

}  // namespace certherd::policy
