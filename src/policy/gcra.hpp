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
/// A `full_at` is believed as far as believed() says.
Spending spend(Time full_at, double units, double per_second, double burst, Time now);

/// `full_at`, as far as honest takers can have driven it: the whole allowance and what is taken
/// now, and a minute for those who wait. A clock that was ahead may have written one that is far
/// away. What is believed has to be kept in its place, or it would be as far away ever after.
Time believed(Time full_at, double units, double per_second, double burst, Time now);

/// From when `units` of it may be spent, where the other side has said that nothing is left before
/// `closed_until`. That is believed as far as must_wait() believes a pause. Takes nothing.
Time free_from(Time full_at, Time closed_until, double units, double per_second, double burst,
               Time now);

/// `full_at` after the other side has counted a unit only at `now`, of which `units` that were
/// taken are not older: until then, nothing came back of an allowance that was whole.
Time settle_late(Time full_at, double units, double per_second, Time now);

/// `full_at` after the other side has said that nothing is left until `until`: one unit is then.
Time settle_closed(Time full_at, Time until, double per_second, double burst);

/// `full_at` after `units` have turned out not to be spent.
Time give_back(Time full_at, double units, double per_second);

/// The same where all units come back at once, at each full `window` since the epoch: `limit` of
/// them, of which none is left over to the next window. `full_at` says how far the units are taken:
/// the windows in a row, each divided evenly among its units.
Spending spend_in_windows(Time full_at, double units, double limit, Duration window, Time now);

/// As believed(), in windows: two of them.
Time believed_in_windows(Time full_at, Duration window, Time now);

/// `full_at` after the other side has said that `left` units are left in the window that ends at
/// `until`. Only what others have spent counts: it never gives units back.
Time settle_window(Time full_at, double left, Time until, double limit, Duration window);

/// How many units of the window of `now` are left.
double left_in_window(Time full_at, double limit, Duration window, Time now);

}  // namespace certherd::policy
