#include "fleet/renewal_watch.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "policy/renewal.hpp"
#include "runtime/task_group.hpp"

namespace certherd::fleet {
namespace {

// What one question waits for at most before the next ones are asked.
constexpr std::size_t most_together = 256;

// The CA says after how long it is to be asked again. By this part of that a question may come
// later, so that it goes with others: a quarter of an hour of Let's Encrypt's six hours.
constexpr int slack_of_pause = 24;

}  // namespace

RenewalWatch::RenewalWatch(Ports& ports, const Inventory& inventory, Options options,
                           std::function<void()> told)
    : ports_(ports),
      inventory_(inventory),
      options_(options),
      told_(std::move(told)),
      changed_(*ports.loop) {}

void RenewalWatch::review(const store::DomainRow& row) {
  const auto id = row.domain.id;
  if (!row.domain.enabled || !row.certificate) return forget(id);
  auto& watched = watched_[id];
  const auto& certificate = *row.certificate;
  // The row may be older than the last answer.
  if (watched.serial != certificate.serial) {
    watched = {.ca = certificate.ca,
               .serial = certificate.serial,
               .renewal = certificate.renewal,
               .asking = watched.asking};
  }
  plan(id, watched);
}

void RenewalWatch::forget(DomainId domain) { watched_.erase(domain); }

void RenewalWatch::plan(DomainId id, Watched& watched) {
  std::optional<Time> next;
  const auto* row = inventory_.find(id);
  if (!watched.asking && row != nullptr && row->certificate) {
    next = policy::next_question(*row->certificate, watched.renewal, now());
    // One that is due already has had its slack since then.
    if (next) {
      next = std::max(*next, std::min(*next, watched.renewal.poll_at) + watched.slack);
    }
  }
  if (next == watched.next) return;
  watched.next = next;
  if (!next) return;
  queues_[watched.ca].due.add(*next, id);
  if (*next < sleeps_until_) changed_.notify_all();
}

Task<void> RenewalWatch::run() {
  runtime::TaskGroup asking(*ports_.loop);
  asking.spawn(keep_again_and_again());
  std::exception_ptr ended;
  try {
    while (true) {
      sleeps_until_ = Time::max();
      for (auto& [ca, queue] : queues_) {
        const auto* next = queue.asking ? nullptr : first(ca, queue);
        if (next == nullptr) continue;
        if (next->first <= now()) {
          queue.asking = true;
          asking.spawn(ask(ca));
        } else {
          sleeps_until_ = std::min(sleeps_until_, next->first);
        }
      }
      co_await changed_.wait_until(sleeps_until_);
    }
  } catch (...) {
    ended = std::current_exception();  // nothing can be awaited in here
  }
  asking.cancel();
  co_await asking.join();
  std::rethrow_exception(ended);
}

const DueQueue<DomainId>::Entry* RenewalWatch::first(const CaName& ca, Queue& queue) const {
  return queue.due.first([&](const auto& entry) {
    const auto watched = watched_.find(entry.second);
    return watched != watched_.end() && watched->second.next == entry.first &&
           watched->second.ca == ca;
  });
}

/// Those that are due, also those that might wait a little longer.
RenewalWatch::Batch RenewalWatch::take_batch(const CaName& ca, Queue& queue) {
  Batch batch;
  while (batch.domains.size() < most_together) {
    const auto* next = first(ca, queue);
    if (next == nullptr) break;
    const auto id = next->second;
    auto& watched = watched_.at(id);
    if (*watched.next - watched.slack > now()) break;
    queue.due.drop_first();
    watched.next.reset();
    watched.asking = true;
    batch.domains.push_back(id);
    batch.serials.push_back(watched.serial);
    batch.ari_ids.push_back(inventory_.find(id)->certificate->ari_id);
  }
  return batch;
}

Task<void> RenewalWatch::ask(CaName ca) {
  auto& queue = queues_.at(ca);
  auto batch = take_batch(ca, queue);
  auto answers = co_await ask_ca(std::move(ca), std::move(batch.ari_ids));
  std::vector<DomainId> news;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const auto id = batch.domains[i];
    if (hear(id, batch.serials[i], std::move(answers[i]))) news.push_back(id);
  }
  co_await keep(std::move(news));
  queue.asking = false;
  changed_.notify_all();
}

Task<std::vector<Result<acme::RenewalInfo>>> RenewalWatch::ask_ca(
    CaName ca, std::vector<std::string> ari_ids) {
  const auto found = ports_.cas.find(ca);
  if (found != ports_.cas.end() && found->second.client != nullptr) {
    co_return co_await found->second.client->renewal_infos(std::move(ari_ids));
  }
  const Result<acme::RenewalInfo> no_such_ca = fail(
      Error::Kind::misconfigured, "renewalInfo", "the CA is not in the config, or cannot be used");
  co_return std::vector(ari_ids.size(), no_such_ca);
}

bool RenewalWatch::hear(DomainId id, const Serial& serial, Result<acme::RenewalInfo> answer) {
  const auto entry = watched_.find(id);
  if (entry == watched_.end()) return false;  // taken out of the inventory meanwhile
  auto& watched = entry->second;
  watched.asking = false;
  const bool is_of_former = watched.serial != serial;
  bool is_news = false;
  if (!is_of_former) {
    const double spread = ports_.random->fraction();
    Renewal after;
    if (answer) {
      const double chance = ports_.random->fraction();
      after = policy::heard(watched.renewal, std::move(answer->window), answer->retry_at, chance,
                            spread, now());
    } else {
      after = policy::not_heard(watched.renewal, answer.error(), spread, now());
      log::debug("{}: {}", inventory_.find(id)->domain.name, answer.error().message());
    }
    is_news = after.window != watched.renewal.window;
    watched.renewal = std::move(after);
    watched.slack = (watched.renewal.poll_at - now()) / slack_of_pause;
    if (!std::exchange(watched.unkept, true)) unkept_.push_back(id);
  }
  plan(id, watched);
  return is_news;
}

store::KnownRenewal RenewalWatch::known(DomainId id) const {
  const auto& watched = watched_.at(id);
  return {id, watched.serial, watched.renewal};
}

Task<void> RenewalWatch::keep(std::vector<DomainId> domains) {
  if (domains.empty()) co_return;
  std::vector<store::KnownRenewal> renewals;
  std::vector<Event> events;
  for (const auto id : domains) {
    watched_.at(id).unkept = false;
    auto renewal = known(id);
    const auto& window = *renewal.renewal.window;
    Event event{.at = now(),
                .domain = inventory_.find(id)->domain.name,
                .event = "renewal.window",
                .detail = {{"serial", renewal.serial.text()},
                           {"start", format_time(window.start)},
                           {"end", format_time(window.end)},
                           {"renew_at", format_time(renewal.renewal.at)}}};
    if (!window.explanation_url.empty()) event.detail["explanation"] = window.explanation_url;
    events.push_back(std::move(event));
    renewals.push_back(std::move(renewal));
  }
  auto kept = co_await ports_.store->save_renewals(std::move(renewals), std::move(events));
  if (!kept) {
    log::warning("{}", kept.error().message());
    co_return;
  }
  told_();
}

Task<void> RenewalWatch::keep_again_and_again() {
  while (true) {
    co_await ports_.clock().sleep_for(options_.keep_every);
    co_await keep_rest();
  }
}

Task<void> RenewalWatch::keep_rest() {
  std::vector<store::KnownRenewal> renewals;
  for (const auto id : std::exchange(unkept_, {})) {
    const auto watched = watched_.find(id);
    if (watched == watched_.end() || !std::exchange(watched->second.unkept, false)) continue;
    renewals.push_back(known(id));
  }
  if (renewals.empty()) co_return;
  std::vector<Event> events;
  auto kept = co_await ports_.store->save_renewals(std::move(renewals), std::move(events));
  if (!kept) log::warning("{}", kept.error().message());
}

}  // namespace certherd::fleet
