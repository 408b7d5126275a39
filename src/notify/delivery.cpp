#include "notify/delivery.hpp"

#include <algorithm>
#include <array>

#include "base/log.hpp"
#include "runtime/timeouts.hpp"
#include "runtime/together.hpp"

namespace certherd::notify {
namespace {

using namespace std::chrono_literals;

// For one write, when the process is about to end.
constexpr Duration last_write = 5s;

// A store that cannot be read or written has its executor stop, too.
constexpr Duration store_pause = 1min;

}  // namespace

Duration pause_after(int failures) {
  constexpr std::array<Duration, 4> pauses = {1min, 5min, 30min, 1h};
  return pauses.at(static_cast<std::size_t>(std::clamp(failures - 1, 0, 3)));
}

void Delivery::wake() {
  ++woken_;
  wakeup_.notify_all();
}

Task<void> Delivery::run() {
  std::set<NotifierName> known;
  for (const auto& [name, notifier] : notifiers_) known.insert(name);
  auto lost = co_await store_.forget_notifiers_but(std::move(known));
  if (!lost) log::warning("{}", lost.error().message());
  if (lost && *lost > 0) {
    log::warning("{} notifications were for notifiers that are not in the config any more", *lost);
  }
  std::vector<Task<void>> tasks;
  tasks.reserve(notifiers_.size());
  for (const auto& [name, notifier] : notifiers_) tasks.push_back(serve(name, notifier));
  co_await runtime::together(std::move(tasks));
}

Task<void> Delivery::serve(NotifierName name, Notifier* notifier) {
  Time not_before{};
  std::vector<NotificationId> sent;
  while (true) {
    const int woken = woken_;
    auto status = co_await tell(name, notifier, &not_before, &sent);
    Time next = clock_.now() + store_pause;
    if (status) {
      auto oldest = co_await store_.next_notification(name);
      if (oldest) {
        const Time anew = clock_.now() + options_.look_anew;
        next = std::min(std::max(oldest->value_or(anew), not_before), anew);
      } else {
        status = fail(std::move(oldest.error()));
      }
    }
    if (!status) log::warning("[notify.{}]: {}", name, status.error().message());
    if (woken_ == woken) co_await wakeup_.wait_until(next);
  }
}

// Sends what is due for one notifier, and takes it out of the store.
Task<Status> Delivery::tell(NotifierName name, Notifier* notifier, Time* not_before,
                            std::vector<NotificationId>* sent) {
  Status done;
  // What could not be taken out after it was sent must not be sent again.
  if (!sent->empty()) co_await finish(sent, &done);
  if (!done) co_return done;
  // Unless the clock was set back.
  *not_before = std::min(*not_before, clock_.now() + options_.gap);
  if (clock_.now() < *not_before) co_return done;

  const auto most = notifier->most_at_once();
  auto taken = co_await store_.take_notifications(name, most, clock_.now() + options_.keep);
  if (!taken) co_return fail(std::move(taken.error()));
  if (taken->empty()) co_return done;
  std::vector<NotificationId> ids;
  ids.reserve(taken->size());
  for (const auto& notification : *taken) ids.push_back(notification.id);
  const int attempts = taken->front().attempts;

  Notice notice{.at = clock_.now(), .notifications = std::move(*taken)};
  auto told = co_await notifier->send(std::move(notice));
  if (!told) {
    co_return co_await put_off(name, std::move(ids), attempts + 1, std::move(told.error()));
  }
  log::debug("[notify.{}] was told of {} alarms", name, ids.size());
  // A full message has others behind it that belong to it.
  *not_before = ids.size() < most ? clock_.now() + options_.gap : clock_.now();
  *sent = std::move(ids);
  co_await runtime::shielded(&clock_, last_write, finish(sent, &done));
  co_return done;
}

Task<void> Delivery::finish(std::vector<NotificationId>* sent, Status* status) {
  *status = co_await store_.finish_notifications(*sent);
  if (*status) sent->clear();
}

Task<Status> Delivery::put_off(NotifierName name, std::vector<NotificationId> notifications,
                               int attempts, Error error) {
  const Time now = clock_.now();
  store::PutOff put_off{.notifications = std::move(notifications),
                        .next_at = now + pause_after(attempts),
                        .give_up = now - options_.give_up_after,
                        .error = error.message()};
  if (error.retry_at) {
    // Nobody is believed who wants to be left alone for longer than an alarm is of use.
    const Time latest = now + options_.give_up_after;
    put_off.next_at = std::max(put_off.next_at, std::min(*error.retry_at, latest));
  }
  log::warning("[notify.{}] could not be told of {} alarms, again at {}: {}", name,
               put_off.notifications.size(), format_time(put_off.next_at), put_off.error);
  auto lost = co_await store_.put_off_notifications(std::move(put_off));
  if (!lost) co_return fail(std::move(lost.error()));
  if (*lost > 0) log::error("[notify.{}]: {} notifications were given up", name, *lost);
  co_return Status();
}

}  // namespace certherd::notify
