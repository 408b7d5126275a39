#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <vector>

#include "app/fleet_plan.hpp"

namespace certherd::cli {

/// When replacements will be done, by the forecast of `plan`.
struct RenewForecast {
  struct Item {
    Fqdn domain;
    Serial serial;  ///< of the certificate that goes
    Time not_after;
    Time done_at;
    std::string limited_by;  ///< empty: nothing
    app::FleetPlan::HeldBy held_by = app::FleetPlan::HeldBy::nothing;
  };

  std::vector<Item> items;       ///< by the order of work
  std::optional<Time> deadline;  ///< nothing: there is none
  std::size_t in_time = 0;       ///< without a deadline, all
  std::optional<Time> finish_at;
  /// What holds up most of those that will be late, or else the last one that has to wait.
  std::string bottleneck;
  app::FleetPlan::HeldBy held_by = app::FleetPlan::HeldBy::nothing;

  bool done_in_time() const { return in_time == items.size(); }
};

/// The plan holds what is replaced, and nothing else. To the moment that it tells comes the time
/// that the domain's last issuance took, until its certificate was seen served.
RenewForecast forecast_of(const app::FleetPlan& plan, Time now, std::optional<Time> deadline);

/// "700 of 1000 by …; the last at …; held up by …" for a person.
std::string forecast_text(const RenewForecast& forecast);

/// What can be done about being late; empty when it will be done in time.
std::string advice_text(const RenewForecast& forecast);

/// FORECAST of docs/output.md, and its items.
boost::json::object forecast_json(const RenewForecast& forecast);
boost::json::array items_json(const RenewForecast& forecast);

}  // namespace certherd::cli
