#pragma once

#include <map>
#include <string>

#include "policy/gcra.hpp"
#include "runtime/budget.hpp"
#include "runtime/clock.hpp"

namespace certherd::fakes {

/// Budgets that end with their process.
class MemoryBudget final : public runtime::Budget {
 public:
  explicit MemoryBudget(runtime::Clock& clock) : clock_(clock) {}

  Task<Result<Time>> take(runtime::Allowance allowance, double units,
                          Time latest = Time::max()) override {
    const Time now = clock_.now();
    Time& full_at = full_at_[allowance.name];
    const auto spending =
        allowance.window > Duration::zero()
            ? policy::spend_in_windows(full_at, units, allowance.burst, allowance.window, now)
            : policy::spend(full_at, units, allowance.per_second, allowance.burst, now);
    if (spending.from <= latest) {
      full_at = spending.full_at;
      taken_[allowance.name] += units;
    }
    co_return spending.from;
  }

  Task<Status> settle(runtime::Allowance allowance, double left, Time until) override {
    Time& full_at = full_at_[allowance.name];
    full_at = policy::settle_window(full_at, left, until, allowance.burst, allowance.window);
    ++settled_;
    co_return Status();
  }

  Task<Result<Time>> taken_until(runtime::Allowance allowance) override {
    co_return full_at_[allowance.name];
  }

  /// Units of each allowance that were taken.
  const std::map<std::string, double>& taken() const { return taken_; }
  /// How often the other side told what is left.
  int settled() const { return settled_; }

 private:
  runtime::Clock& clock_;
  std::map<std::string, Time> full_at_;
  int settled_ = 0;
  std::map<std::string, double> taken_;
};

}  // namespace certherd::fakes
