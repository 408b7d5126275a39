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

RenewalWatch::RenewalWatch(Ports& ports, std::function<void()> told)
    : ports_(ports), told_(std::move(told)), changed_(*ports.loop) {}

void RenewalWatch::review(const std::vector<store::DomainRow>& rows) {
  std::map<DomainId, Watched> watched;
  due_.clear();
  for (const auto& row : rows) {
    if (!row.domain.enabled || !row.certificate) continue;
    const auto id = row.domain.id;
    Watched entry{.certificate = *row.certificate};
    if (const auto known = watched_.find(id); known != watched_.end()) {
      entry.asking = known->second.asking;
      // The rows may be older than the last answer.
      const auto& before = known->second.certificate;
      if (before.serial == entry.certificate.serial) entry.certificate.renewal = before.renewal;
    }
    const auto when = policy::next_question(entry.certificate, now());
    if (!when && !entry.asking) continue;
    if (when && !entry.asking) due_.emplace(*when, id);
    watched.emplace(id, std::move(entry));
  }
  watched_ = std::move(watched);
  changed_.notify_all();
}

Task<void> RenewalWatch::run() {
  runtime::TaskGroup asking(*ports_.loop);
  std::exception_ptr ended;
  try {
    while (true) {
      while (!due_.empty() && due_.begin()->first <= now() && asking_ < most_at_once) {
        const auto id = due_.begin()->second;
        due_.erase(due_.begin());
        watched_.at(id).asking = true;
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
    const auto when = policy::next_question(watched.certificate, now());
    if (when) due_.emplace(*when, id);
  }
  changed_.notify_all();
}

Task<void> RenewalWatch::keep(Certificate certificate, Renewal before) {
  const auto& after = certificate.renewal;
  std::vector<Event> events;
  const bool moved = after.window != before.window;
  if (moved) {
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
    events.push_back(std::move(event));
  }
  auto serial = certificate.serial;
  auto renewal = after;
  auto kept = co_await ports_.store->save_renewal(certificate.domain_id, std::move(serial),
                                                  std::move(renewal), std::move(events));
  if (!kept) log::warning("{}: {}", certificate.domain, kept.error().message());
  if (kept && moved) told_();
}

}  // namespace certherd::fleet
