#pragma once

#include "base/time.hpp"

namespace certherd::policy {

/// What taking from an allowance comes to.
struct Spending {
  Time from;     ///< when what was taken may be spent: `now` or later
  Time full_at;  ///< when the allowance will be whole again: to be kept for the next time
};

/// The generic cell rate algorithm (ITU-T I.371 annex A), which keeps one moment for each
/// allowance: `full_at`, when all of it will have come back. `per_second` units come back each
/// second until there are `burst` of them; `units` are taken at `now`. More than there are may be
/// taken: they may be spent later.
///
/// A clock that was ahead may have written a `full_at` far away. It is believed as far as honest
/// takers can have driven it: the whole allowance and what is taken now, and a minute for those
/// who wait.
Spending spend(Time full_at, double units, double per_second, double burst, Time now);

}  // namespace certherd::policy
