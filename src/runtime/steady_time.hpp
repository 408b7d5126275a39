#pragma once

#include "runtime/clock.hpp"

namespace certherd::runtime {

/// clock.now(), as if the clock had never been set back: for a moment that is kept and waited for
/// more than once, as it does not move away when that happens.
inline Time steady_now(const Clock& clock) {
  const Time now = clock.now();  // which may notice that it was
  return now + clock.set_back();
}

/// When such a moment is by the clock as it stands.
inline Time by_clock(const Clock& clock, Time steady) { return steady - clock.set_back(); }

}  // namespace certherd::runtime
