#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "model/certificate.hpp"
#include "model/domain.hpp"
#include "model/issuance.hpp"
#include "policy/maintenance_window.hpp"

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
  /// action, when there will be one. Time::max() under a hold without an end.
  Time at{};
  std::string limited_by;  ///< what it waits for until then; empty: nothing
  Time urgency{};          ///< when the present certificate ends; the past without one
  Opening opening{};       ///< what hold and window allow; `at` keeps to it

  /// `at`, unless that is never.
  std::optional<Time> moment() const;

  /// Not before `time`, for that reason, and then when hold and window let it begin.
  void put_off(Time time, std::string why);
};

/// The plan for an enabled domain. `working` is the step of its active issuance, `targets` where
/// its certificate is to be installed; `renew_at` as in when_due(). What was begun goes on whatever
/// hold and window say, but its certificate is installed within the window.
Plan plan_for(const Domain& domain, const std::optional<Certificate>& current,
              std::optional<Step> working, const std::vector<TargetName>& targets, double renew_at,
              Time now);

/// The order of work: by the moment, then the most urgent.
bool earlier(const Plan& left, const Plan& right);

}  // namespace certherd::policy
