#include "model/alarm.hpp"

#include <algorithm>

namespace certherd {

std::string_view to_string(Alarm::Kind kind) {
  switch (kind) {
    case Alarm::Kind::failing:
      return "failing";
    case Alarm::Kind::expiring:
      return "expiring";
    case Alarm::Kind::not_served:
      return "not-served";
    case Alarm::Kind::account:
      return "account";
  }
  return "failing";
}

std::optional<Alarm::Kind> parse_alarm_kind(std::string_view text) {
  const auto* const found = std::ranges::find_if(
      alarm_kinds, [text](Alarm::Kind kind) { return to_string(kind) == text; });
  if (found == alarm_kinds.end()) return std::nullopt;
  return *found;
}

bool Subscription::hears_of(const Alarm& alarm) const {
  return kinds.contains(alarm.key.kind) && (endings || !alarm.cleared_at);
}

}  // namespace certherd
