#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "model/certificate.hpp"
#include "model/domain.hpp"
#include "model/issuance.hpp"

namespace certherd::policy {

/// `action` of docs/output.md: what a domain wants now.
enum class Action { none, issue, renew, deploy, prove, clean_up };

std::string_view to_string(Action action);

/// What is to be done for a domain, why, and from when. The executor acts by it and `plan` shows
/// it: there is no second opinion.
struct Plan {
  Action action = Action::none;
  std::string reason;  ///< for a person: "expires in 20d"
  /// The earliest moment at which a run takes it up, `now` where nothing holds it back; with no
  /// action, when there will be one.
  Time at{};
  std::string limited_by;  ///< what holds back until then what is due; empty: nothing
  Time urgency{};          ///< when the present certificate ends; the past without one
};

/// The plan for an enabled domain. `working` is the step of its active issuance, `targets` where
/// its certificate is to be installed; `renew_at` as in when_due().
Plan plan_for(const Domain& domain, const std::optional<Certificate>& current,
              std::optional<Step> working, const std::vector<TargetName>& targets, double renew_at,
              Time now);

/// The order of work: by the moment, then the most urgent.
bool earlier(const Plan& left, const Plan& right);

}  // namespace certherd::policy
