#pragma once

#include <string>

#include "base/result.hpp"
#include "runtime/task.hpp"

namespace certherd::runtime {

/// A published limit of an outside system.
struct Allowance {
  std::string name;       ///< whose it is, such as "route53/123456789012"
  double per_second = 1;  ///< units that come back each second
  double burst = 1;       ///< units that may be spent at one moment
  /// When set, `burst` units come back at each full `window` of UTC, all at once, and none is left
  /// over; `per_second` does not count.
  Duration window{};
};

/// Where it is kept how much of each allowance is spent: over restarts, and for all processes of
/// a store. Implemented by the store.
class Budget {
 public:
  virtual ~Budget() = default;

  /// Takes `units` and gives the moment from which they may be spent: now, or later. What is taken
  /// is spent, whether or not it is used; where the moment is after `latest`, nothing is taken.
  /// Errors: the store's.
  virtual Task<Result<Time>> take(Allowance allowance, double units, Time latest = Time::max()) = 0;

  /// The other side says that of an allowance with a window `left` units are left until `until`.
  /// Errors: the store's.
  virtual Task<Status> settle(Allowance allowance, double left, Time until) = 0;

  /// How far an allowance is taken, as policy/gcra.hpp counts it. Errors: the store's.
  virtual Task<Result<Time>> taken_until(Allowance allowance) = 0;
};

}  // namespace certherd::runtime
