#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/domain.hpp"

namespace certherd::policy {

/// Until when nothing is begun for a domain by itself, by `hold` of the inventory: Time::max() for
/// "yes", the past for an empty text, else the moment, or the first of a day in UTC, that it names.
/// Errors: misconfigured.
Result<Time> hold_end(std::string_view hold);

/// Whether nothing is begun for the domain by itself now.
bool is_held(const Domain& domain, Time now);

/// The times of the week at which something may be begun, in UTC.
class MaintenanceWindow {
 public:
  /// `window` of the inventory: spans between semicolons, each of them a time of the day with the
  /// days on which it begins in front, where it is not every day. "sat,sun 02:00-05:00",
  /// "mon-fri 22:00-04:00", where it ends on the next day. An empty text is always.
  /// Errors: misconfigured.
  static Result<MaintenanceWindow> parse(std::string_view text);

  /// The first moment within it, at `time` or later.
  Time next(Time time) const;

 private:
  /// Since the beginning of Monday; none goes beyond the week.
  struct Span {
    std::chrono::minutes begin{};
    std::chrono::minutes end{};
  };

  void add(int day, std::chrono::minutes begin, std::chrono::minutes end);

  std::vector<Span> spans_;  ///< empty: always
};

/// When what a domain wants may begin. Under a hold without an end that is never, Time::max(). Its
/// window is kept to as long as that loses no certificate.
class Opening {
 public:
  /// At any time.
  Opening() = default;
  /// Not before `held_until`, then within the window; at once where that would be after `latest`.
  Opening(Time held_until, MaintenanceWindow window, Time latest)
      : held_until_(held_until), window_(std::move(window)), latest_(latest) {}

  /// The first moment for what is wanted at `time`.
  Time from(Time time) const;

  /// What it waits for until then, such as "a hold until 2026-12-24T00:00:00Z"; empty: nothing.
  std::string words(Time time) const;

 private:
  Time held_until_ = Time::min();
  MaintenanceWindow window_;
  Time latest_ = Time::max();
};

}  // namespace certherd::policy
