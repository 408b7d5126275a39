#pragma once

#include <cstddef>

#include "base/time.hpp"
#include "runtime/budget.hpp"

namespace certherd::store {

/// One of the units that something takes all at one time. For allowances without a window.
struct Demand {
  runtime::Allowance allowance;
  double kept = 0;    ///< so many units have to be left besides, for others
  bool taken = true;  ///< otherwise it only has to be there
  /// So many units that were taken earlier the other side has not counted yet, see Amendment.
  int uncounted = 0;
};

/// When there is room for all demands.
struct Room {
  bool now = false;  ///< and each unit was taken; otherwise nothing was
  Time from{};
  std::size_t last = 0;  ///< the demand that has to wait for longest
};

/// What is learned of an allowance after something was taken from it, or beside that. For
/// allowances without a window.
struct Amendment {
  enum class Kind {
    spend,      ///< a unit has gone without being asked for: it is taken if it is there
    give_back,  ///< a unit that was taken was not used
    refill,     ///< all units are there again
    /// The other side has counted a unit only now, and `others` that we have taken it will count
    /// later: until it counts a unit, time does nothing for an allowance that is whole.
    counted,
    close,  ///< it says that none is left before `until`
  };

  Kind kind;
  runtime::Allowance allowance;
  int others = 0;
  Time until{};
};

/// How far an allowance is taken, as policy/gcra.hpp counts it.
struct Level {
  Time full_at{};
  Time closed_until{};
};

}  // namespace certherd::store
