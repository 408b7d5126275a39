#include "fleet/renewal_watch.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "policy/renewal.hpp"

namespace certherd::fleet {
namespace {

// Let's Encrypt takes a thousand such questions a second from one address, with a burst of a
// hundred (its page on rate limits); they are in no hurry.
constexpr int most_at_once = 16;

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
  changed_.notify_all();
}

Task<void> RenewalWatch::run() {
  runtime::TaskGroup asking(*ports_.loop);
  asking.spawn(keep_again_and_again());
  std::exception_ptr ended;
  try {
    while (true) {
      while (!due_.empty() && due_.begin()->first <= now() && asking_ < most_at_once) {
        const auto id = due_.begin()->second;
        due_.erase(due_.begin());
        auto& watched = watched_.at(id);
        watched.due.reset();
        watched.asking = true;
        asking_ += 1;
        asking.spawn(ask(id));
      }
      const bool full = asking_ == most_at_once;
      co_await changed_.wait_until(due_.empty() || full ? Time::max() : due_.begin()->first);
    }
  } catch (...) {
    ended = std::current_exception();  // nothing can be awaited in here
  }
  asking.cancel();
  co_await asking.join();
  std::rethrow_exception(ended);
}

Task<void> RenewalWatch::ask(DomainId id) {
  auto certificate = watched_.at(id).certificate;
  const auto before = certificate.renewal;
  const auto ca = ports_.cas.find(certificate.ca);
  Result<acme::RenewalInfo> info = fail(Error::Kind::misconfigured, "renewalInfo",
                                        "the CA is not in the config, or cannot be used");
  if (ca != ports_.cas.end() && ca->second.client != nullptr) {
    auto ari_id = certificate.ari_id;
    info = co_await ca->second.client->renewal_info(std::move(ari_id));
  }
  const double spread = ports_.random->fraction();
  if (info) {
    const double chance = ports_.random->fraction();
    certificate.renewal =
        policy::heard(before, std::move(info->window), info->retry_at, chance, spread, now());
  } else {
    certificate.renewal = policy::not_heard(before, info.error(), spread, now());
    log::debug("{}: {}", certificate.domain, info.error().message());
  }
  co_await keep(certificate, before);

  asking_ -= 1;
  // It may have been renewed or taken out of the inventory meanwhile.
  if (const auto entry = watched_.find(id); entry != watched_.end()) {
    auto& watched = entry->second;
    watched.asking = false;
    if (watched.certificate.serial == certificate.serial) {
      watched.certificate.renewal = certificate.renewal;
    }
    plan(id, watched);
  }
  changed_.notify_all();
}

Task<void> RenewalWatch::keep(Certificate certificate, Renewal before) {
  const auto& after = certificate.renewal;
  store::KnownRenewal known{
      .domain = certificate.domain_id, .serial = certificate.serial, .renewal = after};
  if (after.window == before.window) {
    unkept_.insert_or_assign(certificate.domain_id, std::move(known));
    co_return;
  }
  unkept_.erase(certificate.domain_id);
  Event event{.at = now(),
              .domain = certificate.domain,
              .event = "renewal.window",
              .detail = {{"serial", certificate.serial.text()},
                         {"start", format_time(after.window->start)},
                         {"end", format_time(after.window->end)},
                         {"renew_at", format_time(after.at)}}};
  if (!after.window->explanation_url.empty()) {
    event.detail["explanation"] = after.window->explanation_url;
  }
  std::vector<store::KnownRenewal> renewals = {std::move(known)};
  std::vector<Event> events = {std::move(event)};
  auto kept = co_await ports_.store->save_renewals(std::move(renewals), std::move(events));
  if (!kept) {
    log::warning("{}: {}", certificate.domain, kept.error().message());
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
