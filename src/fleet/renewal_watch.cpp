#include "fleet/renewal_watch.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "policy/renewal.hpp"

namespace certherd::fleet {
namespace {

// Let's Encrypt takes a thousand such questions a second from one address, with a burst of a
// hundred (its page on rate limits); they are in no hurry.
constexpr int most_at_once = 16;

Task<Result<acme::RenewalInfo>> no_such_ca() {
  co_return fail(Error::Kind::misconfigured, "renewalInfo",
                 "the CA is not in the config, or cannot be used");
}

}  // namespace

RenewalWatch::RenewalWatch(Ports& ports, Options options, std::function<void()> told)
    : ports_(ports), options_(options), told_(std::move(told)), changed_(*ports.loop) {}

void RenewalWatch::review(const store::DomainRow& row) {
  const auto id = row.domain.id;
  if (!row.domain.enabled || !row.certificate) return forget(id);
  auto& watched = watched_[id];
  // The row may be older than the last answer.
  const auto before = std::move(watched.certificate);
  watched.certificate = *row.certificate;
  if (before.serial == watched.certificate.serial) watched.certificate.renewal = before.renewal;
  plan(id, watched);
}

void RenewalWatch::forget(DomainId domain) {
  const auto found = watched_.find(domain);
  if (found == watched_.end()) return;
  if (found->second.due) due_.erase({*found->second.due, domain});
  watched_.erase(found);
}

void RenewalWatch::plan(DomainId id, Watched& watched) {
  const auto when =
      watched.asking ? std::nullopt : policy::next_question(watched.certificate, now());
  if (when == watched.due) return;
  if (watched.due) due_.erase({*watched.due, id});
  watched.due = when;
  if (!when) return;
  due_.emplace(*when, id);
  if (*when < sleeps_until_) changed_.notify_all();
}

Task<void> RenewalWatch::run() {
  runtime::TaskGroup asking(*ports_.loop);
  asking.spawn(keep_again_and_again());
  std::exception_ptr ended;
  try {
    while (true) {
      const auto is_due = [this] { return !due_.empty() && due_.begin()->first <= now(); };
      while (is_due() && asking_ < most_at_once) {
        asking_ += 1;
        asking.spawn(ask_what_is_due(take_first()));
      }
      const bool full = asking_ == most_at_once;
      sleeps_until_ = due_.empty() || full ? Time::max() : due_.begin()->first;
      co_await changed_.wait_until(sleeps_until_);
    }
  } catch (...) {
    ended = std::current_exception();  // nothing can be awaited in here
  }
  asking.cancel();
  co_await asking.join();
  std::rethrow_exception(ended);
}

DomainId RenewalWatch::take_first() {
  const auto id = due_.begin()->second;
  due_.erase(due_.begin());
  auto& watched = watched_.at(id);
  watched.due.reset();
  watched.asking = true;
  return id;
}

Task<void> RenewalWatch::ask_what_is_due(DomainId first) {
  co_await ask(first);
  while (!due_.empty() && due_.begin()->first <= now()) co_await ask(take_first());
  asking_ -= 1;
  if (!due_.empty() && due_.begin()->first < sleeps_until_) changed_.notify_all();
}

Task<void> RenewalWatch::ask(DomainId id) {
  Asked asked;
  {
    const auto& certificate = watched_.at(id).certificate;
    asked = {.domain = certificate.domain, .serial = certificate.serial};
    asked.before = certificate.renewal;
  }
  auto info = co_await ask_ca(watched_.at(id).certificate.ca, watched_.at(id).certificate.ari_id);
  const double spread = ports_.random->fraction();
  Renewal after;
  if (info) {
    const double chance = ports_.random->fraction();
    after =
        policy::heard(asked.before, std::move(info->window), info->retry_at, chance, spread, now());
  } else {
    after = policy::not_heard(asked.before, info.error(), spread, now());
    log::debug("{}: {}", asked.domain, info.error().message());
  }
  const auto serial = asked.serial;
  if (after.window == asked.before.window) {
    unkept_.insert_or_assign(id, store::KnownRenewal{id, serial, after});
  } else {
    unkept_.erase(id);
    co_await keep(id, std::move(asked), after);
  }
  // It may have been renewed or taken out of the inventory meanwhile.
  const auto entry = watched_.find(id);
  if (entry == watched_.end()) co_return;
  auto& watched = entry->second;
  watched.asking = false;
  if (watched.certificate.serial == serial) watched.certificate.renewal = std::move(after);
  plan(id, watched);
}

Task<Result<acme::RenewalInfo>> RenewalWatch::ask_ca(CaName ca, std::string ari_id) {
  const auto found = ports_.cas.find(ca);
  if (found != ports_.cas.end() && found->second.client != nullptr) {
    return found->second.client->renewal_info(std::move(ari_id));
  }
  return no_such_ca();
}

Task<void> RenewalWatch::keep(DomainId id, Asked asked, Renewal after) {
  Event event{.at = now(),
              .domain = asked.domain,
              .event = "renewal.window",
              .detail = {{"serial", asked.serial.text()},
                         {"start", format_time(after.window->start)},
                         {"end", format_time(after.window->end)},
                         {"renew_at", format_time(after.at)}}};
  if (!after.window->explanation_url.empty()) {
    event.detail["explanation"] = after.window->explanation_url;
  }
  std::vector<store::KnownRenewal> renewals = {{id, std::move(asked.serial), std::move(after)}};
  std::vector<Event> events = {std::move(event)};
  auto kept = co_await ports_.store->save_renewals(std::move(renewals), std::move(events));
  if (!kept) {
    log::warning("{}: {}", asked.domain, kept.error().message());
  } else {
    told_();
  }
}

Task<void> RenewalWatch::keep_again_and_again() {
  while (true) {
    co_await ports_.clock().sleep_for(options_.keep_every);
    co_await keep_rest();
  }
}

Task<void> RenewalWatch::keep_rest() {
  if (unkept_.empty()) co_return;
  std::vector<store::KnownRenewal> renewals;
  for (auto& [id, renewal] : std::exchange(unkept_, {})) renewals.push_back(std::move(renewal));
  std::vector<Event> events;
  auto kept = co_await ports_.store->save_renewals(std::move(renewals), std::move(events));
  if (!kept) log::warning("{}", kept.error().message());
}

}  // namespace certherd::fleet
