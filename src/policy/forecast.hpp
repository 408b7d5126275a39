#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "policy/plan.hpp"

namespace certherd::policy {

/// A limit that work draws on, as runtime::Allowance with a window.
struct WindowLimit {
  std::string words;  ///< for people: "990 writes an hour at Fastly"
  double units = 1;   ///< in a window
  Duration window{};
  Time taken_until{};  ///< how far it is spent, as spend_in_windows() counts it
};

/// A limit whose units come back evenly, as runtime::Allowance without a window.
struct RateLimit {
  std::string words;  ///< for people: "300 new orders in 3h at letsencrypt"
  double per_second = 1;
  double burst = 1;
  Time full_at{};       ///< how far it is spent, as spend() counts it
  Time closed_until{};  ///< nothing is left before
};

/// One unit of one of the limits that an order draws on.
struct Draw {
  std::size_t limit = 0;  ///< its index
  double kept = 0;        ///< so many units have to be left besides
  bool asked = true;      ///< it waits until the unit is there
  bool taken = true;      ///< it takes the unit
};

/// An order that a plan will make.
struct PlannedOrder {
  Plan* plan = nullptr;
  std::vector<Draw> draws;
};

/// Puts each plan off to the moment at which its order may be placed, and says by which limit.
/// Orders come in the order of work. Each takes what it draws on when all of it is there; until
/// then it takes nothing, and those behind it go first if they draw on something else. Those that
/// are held without an end draw on nothing.
void put_off_orders(std::vector<RateLimit> limits, const std::vector<PlannedOrder>& orders,
                    Time now);

/// So many units of one of the limits.
struct Need {
  std::size_t limit = 0;  ///< its index
  int units = 0;
};

/// Tells when work that draws on limits will be done, one plan after the other.
class Forecast {
 public:
  Forecast(std::vector<WindowLimit> limits, Time now) : limits_(std::move(limits)), now_(now) {}

  /// Takes what the plan needs; where the last of it may be spent only later, the plan is put off
  /// to then, and says by which limit. Plans come in the order of work. One that is held without
  /// an end takes nothing.
  void put_off(Plan& plan, const std::vector<Need>& needs);

 private:
  std::vector<WindowLimit> limits_;
  Time now_;
};

}  // namespace certherd::policy
