#pragma once

#include <algorithm>
#include <chrono>
#include <map>
#include <string>

#include "runtime/budget.hpp"
#include "runtime/clock.hpp"

namespace certherd::fakes {

/// Budgets that end with their process: one theoretical arrival time for each allowance.
class MemoryBudget final : public runtime::Budget {
 public:
  explicit MemoryBudget(runtime::Clock& clock) : clock_(clock) {}

  Task<Result<Time>> take(runtime::Allowance allowance, double units) override {
    const auto span = [&allowance](double of) {
      return std::chrono::duration_cast<Duration>(
          std::chrono::duration<double>(of / allowance.per_second));
    };
    const Time now = clock_.now();
    Time& arrival = arrivals_[allowance.name];
    arrival = std::max(arrival, now) + span(units);
    taken_[allowance.name] += units;
    co_return std::max(now, arrival - span(allowance.burst));
  }

  /// Units of each allowance that were taken.
  const std::map<std::string, double>& taken() const { return taken_; }

 private:
  runtime::Clock& clock_;
  std::map<std::string, Time> arrivals_;
  std::map<std::string, double> taken_;
};

}  // namespace certherd::fakes
