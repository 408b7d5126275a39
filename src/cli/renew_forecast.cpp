#include "cli/renew_forecast.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <map>

namespace certherd::cli {
namespace {

namespace json = boost::json;
using HeldBy = app::FleetPlan::HeldBy;

json::value time_json(const std::optional<Time>& time) {
  if (!time) return nullptr;
  return json::string(format_time(*time));
}

json::value text_json(const std::string& text) {
  if (text.empty()) return nullptr;
  return json::string(text);
}

void find_bottleneck(RenewForecast& forecast) {
  std::map<std::string, std::size_t> late;
  const RenewForecast::Item* chosen = nullptr;
  std::size_t most = 0;
  for (const auto& item : forecast.items) {
    if (item.limited_by.empty()) continue;
    const bool is_late = forecast.deadline && item.done_at > *forecast.deadline;
    // The items come by their time, so without any that is late it is the last one.
    const std::size_t count = is_late ? ++late[item.limited_by] : 0;
    if (count < most) continue;
    most = count;
    chosen = &item;
  }
  if (chosen == nullptr) return;
  forecast.bottleneck = chosen->limited_by;
  forecast.held_by = chosen->held_by;
}

}  // namespace

RenewForecast forecast_of(const app::FleetPlan& plan, Time now, std::optional<Time> deadline) {
  RenewForecast forecast;
  forecast.deadline = deadline;
  for (const auto& item : plan.due()) {
    const auto& present = item.row->certificate.value();
    const Time done_at = std::max(item.plan.at, now) + present.issued_in;
    forecast.items.push_back({.domain = item.row->domain.name,
                              .serial = present.serial,
                              .not_after = present.not_after,
                              .done_at = done_at,
                              .limited_by = item.plan.limited_by,
                              .held_by = item.held_by});
    if (!deadline || done_at <= *deadline) ++forecast.in_time;
    forecast.finish_at = std::max(forecast.finish_at.value_or(done_at), done_at);
  }
  find_bottleneck(forecast);
  return forecast;
}

std::string forecast_text(const RenewForecast& forecast) {
  auto text = fmt::format("{} to replace", forecast.items.size());
  if (forecast.deadline) {
    text += fmt::format(" · {} done by {}", forecast.in_time, format_time(*forecast.deadline));
  }
  if (forecast.finish_at) {
    text += fmt::format(" · the last at {}", format_time(*forecast.finish_at));
  }
  if (!forecast.bottleneck.empty()) text += fmt::format(" · held up by {}", forecast.bottleneck);
  return text;
}

std::string advice_text(const RenewForecast& forecast) {
  if (forecast.done_in_time()) return {};
  const auto late = forecast.items.size() - forecast.in_time;
  auto text = fmt::format("{} will not be done in time", late);
  switch (forecast.held_by) {
    case HeldBy::ca:
      text += fmt::format(
          ", because of {}: ask the CA for a higher limit and set it as limits of its section, "
          "give "
          "domains another CA (ca = …)",
          forecast.bottleneck);
      break;
    case HeldBy::target:
      text += fmt::format(
          ", because of {}: ask for a higher limit there and set it in the target's section",
          forecast.bottleneck);
      break;
    case HeldBy::pause:
      text +=
          fmt::format(", because of {}: certherd domain show NAME tells why", forecast.bottleneck);
      break;
    case HeldBy::nothing:
      text += ": issuing takes longer than that";
      break;
  }
  return text + ", or do the most important ones first by --where";
}

json::object forecast_json(const RenewForecast& forecast) {
  return {{"chosen", forecast.items.size()},
          {"deadline", time_json(forecast.deadline)},
          {"in_time", forecast.in_time},
          {"finish_at", time_json(forecast.finish_at)},
          {"limited_by", text_json(forecast.bottleneck)}};
}

json::array items_json(const RenewForecast& forecast) {
  json::array items;
  items.reserve(forecast.items.size());
  for (const auto& item : forecast.items) {
    items.push_back(json::object{{"domain", item.domain.text()},
                                 {"serial", item.serial.text()},
                                 {"not_after", format_time(item.not_after)},
                                 {"done_at", format_time(item.done_at)},
                                 {"limited_by", text_json(item.limited_by)}});
  }
  return items;
}

}  // namespace certherd::cli
