#pragma once

#include <optional>
#include <set>
#include <vector>

#include "app/app.hpp"
#include "app/target_limits.hpp"
#include "fleet/order_forecast.hpp"
#include "policy/plan.hpp"

namespace certherd::app {

/// What outside systems allow, and how far it is spent.
struct OutsideLimits {
  fleet::OrderForecast orders;
  TargetLimits writes;

  /// Reads it from config and store; asks nobody else. Errors: the store's.
  static Task<Result<OutsideLimits>> read(App* app);
};

/// What is due of an inventory and what is not, when it is done, and what holds it back.
class FleetPlan {
 public:
  /// Whose limit holds a domain back until its time.
  enum class HeldBy { nothing, pause, ca, target };

  struct Item {
    const store::DomainRow* row = nullptr;  ///< of this plan
    policy::Plan plan;
    HeldBy held_by = HeldBy::nothing;
  };

  /// All rows have to be given, since what one needs holds back others; disabled ones are left out.
  /// Those of `replaced` have a certificate that is replaced now, due or not.
  FleetPlan(std::vector<store::DomainRow> rows, const fleet::Defaults& defaults,
            OutsideLimits limits, Time now, const std::set<DomainId>& replaced = {});
  FleetPlan(FleetPlan&&) = default;  // the items refer to the rows

  // Each by the order of work.
  const std::vector<Item>& due() const { return due_; }
  const std::vector<Item>& later() const { return later_; }

  /// Leaves out all that is of no domain of these.
  void keep(const std::set<DomainId>& shown);

  /// When nothing that is due now is held back any more, but what is held without an end; nothing
  /// when there is none.
  std::optional<Time> finish_at() const;

 private:
  void hold_back(OutsideLimits limits, Time now);

  std::vector<store::DomainRow> rows_;
  std::vector<Item> due_;
  std::vector<Item> later_;
};

}  // namespace certherd::app
