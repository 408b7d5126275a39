#pragma once

#include <cstdint>
#include <set>
#include <utility>

#include "runtime/budget.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/wakeup.hpp"

namespace certherd::runtime {

/// What of several things that wait for the same allowance goes first.
enum class Urgency {
  look,   ///< somebody waits for the answer, and nothing else is left to be done
  begin,  ///< new work
  tidy,   ///< clean-up, for which nobody waits
};

/// Lets one unit of an allowance through after another. Who goes next is decided when the unit may
/// be spent and not before: the most urgent one waiting by then, and of those the first that came.
/// Used on the loop; outlives who waits in it.
class Turnstile {
 public:
  /// `patience`: how long a unit is waited for in here.
  Turnstile(EventLoop& loop, Budget& budget, Allowance allowance,
            Duration patience = Duration::max());

  /// Returns when it is our turn. Errors: throttled, with the moment to come back, where that is
  /// further away than the patience; the budget's. Those who are sent away are asked back as the
  /// allowance will have room for them: `needs` says how many units one needs from here on.
  Task<Status> pass(Urgency urgency, int needs = 1);

 private:
  using Place = std::pair<Urgency, std::uint64_t>;
  struct Taking;

  Time last_moment() const;
  Status send_away(int needs);

  EventLoop& loop_;
  Budget& budget_;
  Allowance allowance_;
  Duration patience_;
  Time closed_until_{};   ///< none of the allowance is left before
  double sent_away_ = 0;  ///< units that those need who were sent away since it closed
  std::set<Place> waiting_;
  std::set<Place> let_through_;
  std::uint64_t next_ = 0;
  bool taking_ = false;  ///< one of those who wait is taking the next unit
  Wakeup changed_;
};

}  // namespace certherd::runtime
