#pragma once

#include <array>
#include <compare>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "model/fqdn.hpp"
#include "model/identifiers.hpp"

namespace certherd {

/// Something that a person has to know, from when it begins until it is over.
struct Alarm {
  enum class Kind {
    failing,     ///< the domain does not get a certificate
    expiring,    ///< what is served or held for it ends soon, or has ended
    not_served,  ///< its certificate is installed, and something else is served
    account,     ///< nothing can be ordered at a CA
  };

  /// What tells it from the others that stand at one time.
  struct Key {
    Kind kind = Kind::failing;
    Fqdn domain = {};  ///< empty for account
    CaName ca = {};    ///< for account alone

    auto operator<=>(const Key&) const = default;
  };

  AlarmId id{};  ///< 0 before it is written
  Key key = {};
  Time since{};
  std::string detail = {};              ///< one sentence: what is wrong, and what to do
  std::optional<Time> cleared_at = {};  ///< nothing: it stands
  std::string ending = {};              ///< one sentence: how it came to be over

  bool operator==(const Alarm&) const = default;
};

constexpr std::array alarm_kinds = {Alarm::Kind::failing, Alarm::Kind::expiring,
                                    Alarm::Kind::not_served, Alarm::Kind::account};

/// The words of docs/notify.md, such as "not-served".
std::string_view to_string(Alarm::Kind kind);

/// The kind of that name; nothing for any other text.
std::optional<Alarm::Kind> parse_alarm_kind(std::string_view text);

/// What a notifier is told.
struct Subscription {
  NotifierName notifier;
  std::set<Alarm::Kind> kinds = {alarm_kinds.begin(), alarm_kinds.end()};
  bool endings = true;  ///< also when an alarm of these kinds is over

  bool hears_of(const Alarm& alarm) const;
};

/// One thing that one notifier is to be told: that an alarm began, or that it is over.
struct Notification {
  NotificationId id{};
  Alarm alarm = {};
  bool over = false;  ///< false: that it began, also when it is over by now
  int attempts = 0;   ///< that have failed

  bool operator==(const Notification&) const = default;
};

}  // namespace certherd
