#pragma once

#include <map>
#include <memory>
#include <vector>

#include "app/app.hpp"
#include "policy/forecast.hpp"

namespace certherd::app {

/// The limits on writes that the targets of the config have, and what work draws on them.
class TargetLimits {
 public:
  /// Reads from the store how far they are spent; asks nobody else. A target whose limit cannot be
  /// told, for want of its secret, counts as one without. Errors: the store's.
  static Task<Result<TargetLimits>> read(App* app);

  const std::vector<policy::WindowLimit>& limits() const { return limits_; }

  /// What the plan for a domain will take of them.
  std::vector<policy::Need> needs(const store::DomainRow& row, const policy::Plan& plan) const;

 private:
  struct Target {
    std::shared_ptr<const deploy::TargetSection> section;  // the config's
    std::size_t limit = 0;
  };

  fleet::Defaults defaults_;
  std::vector<policy::WindowLimit> limits_;
  std::map<TargetName, Target> targets_;
};

}  // namespace certherd::app
