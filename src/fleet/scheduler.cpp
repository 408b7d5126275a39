#include "fleet/scheduler.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "base/log.hpp"

namespace certherd::fleet {
namespace {

using namespace std::chrono_literals;

// Results come in swarms; there is one round for all that come within it.
constexpr Duration shortest_pause = 1s;
// The first round over a large fleet takes its time, and so does one after another process has
// written: not more than this part of all time.
constexpr int pause_for_each_round = 10;
constexpr Duration pause_after_failure = 5s;
// How often the account at a CA that cannot be used is asked for.
constexpr Duration open_cas_every = 1min;

Executor::Options with_news(Executor::Options options, std::function<void(DomainId)> finished) {
  options.serves = true;
  options.finished = std::move(finished);
  return options;
}

}  // namespace

Scheduler::Scheduler(Ports& ports, Options options)
    : ports_(ports),
      options_(std::move(options)),
      executor_(ports, with_news(options_.executor, [this](DomainId domain) { finished(domain); })),
      inventory_(*ports.store),
      renewals_(ports, inventory_, options_.renewals, [this] { look_again(); }),
      observer_(ports, inventory_, options_.observer, [this] { look_again(); }),
      alarms_(*ports.store, options_.subscriptions, options_.alarms),
      changed_(*ports.loop) {}

Task<Status> Scheduler::run() {
  runtime::TaskGroup background(*ports_.loop);
  background.spawn(plan_again_and_again());
  background.spawn(renewals_.run());
  background.spawn(observer_.run());
  if (options_.open_ca) background.spawn(open_cas_again_and_again());
  if (options_.clock_was_set_back) background.spawn(watch_clock());
  Status status;
  std::exception_ptr thrown;
  try {
    status = co_await executor_.run();
  } catch (...) {
    thrown = std::current_exception();  // nothing can be awaited in here
  }
  background.cancel();
  co_await background.join();
  if (thrown) std::rethrow_exception(thrown);
  co_await renewals_.keep_rest();
  co_return status;
}

Task<void> Scheduler::plan_again_and_again() {
  while (true) {
    look_again_ = false;
    const Time begin = now();
    const auto planned = co_await plan();
    const Duration took = now() - begin;
    if (planned) {
      if (options_.turned) options_.turned();
    } else {
      log::warning("{}", planned.error().message());
    }
    const Duration shortest = planned ? shortest_pause : pause_after_failure;
    co_await ports_.clock().sleep_for(std::max(shortest, took * pause_for_each_round));
    Time latest = now() + options_.longest_pause;
    if (const auto* due = first_due()) latest = std::min(latest, due->first);
    while (!look_again_ && now() < latest) co_await changed_.wait_until(latest);
  }
}

Task<Status> Scheduler::plan() {
  auto domains = co_await gather();
  if (!domains) co_return fail(std::move(domains.error()).during("read the inventory"));
  if (options_.open_ca) co_await open_missing_cas(*domains);
  co_await review_alarms(*domains);
  // One that is begun now may be touched again before this round is over.
  while (!domains->empty()) {
    const auto id = *domains->begin();
    auto decided = co_await decide(id);
    if (!decided) {
      touched_.merge(*domains);
      co_return decided;
    }
    domains->erase(id);
  }
  if (!std::exchange(told_, true)) {
    const auto all = inventory_.all();
    const auto enabled = std::ranges::count_if(
        all, [this](DomainId id) { return inventory_.find(id)->domain.enabled; });
    log::info("keeping the certificates of {} domain{}", enabled, enabled == 1 ? "" : "s");
  }
  co_return Status{};
}

Task<Result<std::set<DomainId>>> Scheduler::gather() {
  auto news = co_await inventory_.read();
  if (!news) co_return fail(std::move(news.error()));
  for (auto& gone : news->gone) {
    renewals_.forget(gone.id);
    observer_.forget(gone.id);
    note_moment(gone.id, Time::max());
    gone_.push_back(std::move(gone));
  }
  for (const auto id : news->changed) {
    const auto& row = *inventory_.find(id);
    renewals_.review(row);
    observer_.review(row);
  }
  auto domains = std::exchange(touched_, {});
  domains.merge(observer_.take_changed());
  domains.insert(news->changed.begin(), news->changed.end());
  for (const auto* due = first_due(); due != nullptr && due->first <= now(); due = first_due()) {
    domains.insert(due->second);
    moments_.erase(due->second);
  }
  std::erase_if(domains, [this](DomainId id) { return inventory_.find(id) == nullptr; });
  co_return domains;
}

Task<Status> Scheduler::decide(DomainId id) {
  const auto* row = inventory_.find(id);
  auto next = co_await executor_.admit_due(row);
  if (!next) co_return fail(std::move(next.error()));
  note_moment(id, std::min(*next, alarms_.changes_at(subject(*row), now())));
  co_return Status{};
}

void Scheduler::note_moment(DomainId id, Time moment) {
  if (moment == Time::max()) {
    moments_.erase(id);
    return;
  }
  const auto [known, is_new] = moments_.emplace(id, moment);
  if (!is_new && std::exchange(known->second, moment) == moment) return;
  due_.add(moment, id);
}

const DueQueue<DomainId>::Entry* Scheduler::first_due() {
  return due_.first([this](const auto& entry) {
    const auto moment = moments_.find(entry.second);
    return moment != moments_.end() && moment->second == entry.first;
  });
}

// Sleeping goes by the monotonic clock.
Task<void> Scheduler::watch_clock() {
  Duration known = ports_.clock().set_back();
  while (true) {
    co_await ports_.clock().sleep_for(options_.look_at_clock_every);
    const Duration before = std::exchange(known, ports_.clock().set_back());
    if (known == before) continue;
    log::warning("the clock was set back by {}: beginning anew",
                 format_duration(std::chrono::ceil<std::chrono::seconds>(known - before)));
    options_.clock_was_set_back();
  }
}

Task<void> Scheduler::open_missing_cas(std::set<DomainId> domains) {
  for (const auto id : domains) {
    const auto& domain = inventory_.find(id)->domain;
    if (!domain.enabled) continue;
    const auto& cas = cas_of(domain, ports_.defaults);
    missing_cas_.insert(cas.begin(), cas.end());
  }
  std::erase_if(missing_cas_, [this](const CaName& ca) { return ports_.cas.contains(ca); });
  std::vector<CaName> missing(missing_cas_.begin(), missing_cas_.end());
  co_await open_cas(std::move(missing));
}

Task<void> Scheduler::open_cas(std::vector<CaName> cas) {
  for (auto& ca : cas) co_await options_.open_ca(std::move(ca));
}

Task<void> Scheduler::open_cas_again_and_again() {
  while (true) {
    co_await ports_.clock().sleep_for(open_cas_every);
    std::vector<CaName> unusable;
    for (const auto& [ca, port] : ports_.cas) {
      if (port.unusable) unusable.push_back(ca);
    }
    if (unusable.empty()) continue;
    co_await open_cas(std::move(unusable));
    look_again();
  }
}

AlarmWatch::Subject Scheduler::subject(const store::DomainRow& row) const {
  // While something other than an issuance is done for it, what it serves may change at any moment,
  // and what was seen is no sighting.
  static const AlarmWatch::Sighting nothing;
  const bool changes = !row.working && executor_.is_at_work(row.domain.id);
  return {.name = row.domain.name,
          .row = &row,
          .seen = changes ? &nothing : observer_.seen(row.domain.id)};
}

Task<void> Scheduler::review_alarms(std::set<DomainId> domains) {
  std::vector<AlarmWatch::Subject> subjects;
  for (const auto& gone : gone_) {
    if (inventory_.find(gone.name) == nullptr) subjects.push_back({.name = gone.name});
  }
  for (const auto id : domains) subjects.push_back(subject(*inventory_.find(id)));
  const auto find = [this](const Fqdn& name) {
    const auto* row = inventory_.find(name);
    return row == nullptr ? AlarmWatch::Subject{.name = name} : subject(*row);
  };
  auto unusable = unusable_cas(ports_);
  auto changed = co_await alarms_.review(std::move(subjects), find, std::move(unusable), now());
  if (!changed) {
    touched_.merge(domains);
    log::warning("looking for alarms: {}", changed.error().message());
    co_return;
  }
  gone_.clear();
  if (*changed > 0 && options_.alarmed) options_.alarmed();
}

void Scheduler::finished(DomainId domain) {
  observer_.look_again(domain);
  touched_.insert(domain);
  look_again();
}

void Scheduler::look_again() {
  look_again_ = true;
  changed_.notify_all();
}

}  // namespace certherd::fleet
