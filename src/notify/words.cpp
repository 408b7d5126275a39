#include "notify/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace certherd::notify {
namespace {

std::string subject_of(const Alarm& alarm) {
  return alarm.key.domain.empty() ? fmt::format("[ca.{}]", alarm.key.ca) : alarm.key.domain.text();
}

std::string line_of(const Notification& notification) {
  const auto& alarm = notification.alarm;
  const auto since =
      fmt::format("{} since {}", to_string(alarm.key.kind), format_time(alarm.since));
  if (!notification.over) return fmt::format("{}: {}", since, alarm.detail);
  return fmt::format("recovered at {} ({}): {}",
                     format_time(alarm.cleared_at.value_or(alarm.since)), since, alarm.ending);
}

}  // namespace

std::string headline(const Notice& notice) {
  const auto& told = notice.notifications;
  if (told.empty()) return "certherd: a test";
  if (told.size() == 1) {
    const auto& alarm = told.front().alarm;
    return fmt::format("certherd: {}{}: {}", told.front().over ? "recovered from " : "",
                       to_string(alarm.key.kind), subject_of(alarm));
  }
  std::map<Alarm::Kind, std::size_t> begun;
  std::size_t over = 0;
  for (const auto& notification : told) {
    if (notification.over) {
      ++over;
    } else {
      ++begun[notification.alarm.key.kind];
    }
  }
  std::string text = "certherd:";
  const auto add = [&text](std::size_t number, std::string_view what) {
    text += fmt::format("{} {} {}", text.ends_with(':') ? "" : ",", number, what);
  };
  for (const auto& [kind, number] : begun) add(number, to_string(kind));
  if (over > 0) add(over, "recovered");
  return text;
}

std::string text_of(const Notice& notice, std::size_t most) {
  const auto& told = notice.notifications;
  if (told.empty()) {
    return fmt::format("This is a test, sent at {}: alarms will come this way.\n",
                       format_time(notice.at));
  }
  std::string text;
  const auto shown = std::min(most, told.size());
  for (std::size_t i = 0; i < shown; ++i) text += line_of(told[i]) + "\n";
  if (shown < told.size()) {
    text += fmt::format("and {} more: certherd log shows them all\n", told.size() - shown);
  }
  return text;
}

}  // namespace certherd::notify
