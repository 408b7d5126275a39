#include "notify/webhook/document.hpp"

#include <boost/json.hpp>

#include "notify/words.hpp"

namespace certherd::notify::webhook {
namespace {

namespace json = boost::json;

// For people who see it in a chat; all of it stands in `alarms`.
constexpr std::size_t most_lines = 20;

json::value text_or_null(const std::string& text) {
  return text.empty() ? json::value(nullptr) : json::value(text);
}

json::object alarm_of(const Notification& notification) {
  const auto& alarm = notification.alarm;
  const auto cleared_at = notification.over ? alarm.cleared_at : std::nullopt;
  return {{"id", static_cast<std::int64_t>(alarm.id)},
          {"kind", to_string(alarm.key.kind)},
          {"state", notification.over ? "recovered" : "raised"},
          {"domain", text_or_null(alarm.key.domain.text())},
          {"ca", text_or_null(alarm.key.ca.text())},
          {"since", format_time(alarm.since)},
          {"cleared_at", cleared_at ? json::value(format_time(*cleared_at)) : json::value(nullptr)},
          {"detail", notification.over ? alarm.ending : alarm.detail}};
}

}  // namespace

std::string document_of(const Notice& notice) {
  json::array alarms;
  for (const auto& notification : notice.notifications) alarms.push_back(alarm_of(notification));
  return json::serialize(
      json::object{{"source", "certherd"},
                   {"at", format_time(notice.at)},
                   {"test", notice.notifications.empty()},
                   {"summary", headline(notice)},
                   {"text", headline(notice) + "\n" + text_of(notice, most_lines)},
                   {"alarms", std::move(alarms)}});
}

}  // namespace certherd::notify::webhook
