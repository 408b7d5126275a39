#include "fleet/executor.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "policy/backoff.hpp"
#include "runtime/timeouts.hpp"

namespace certherd::fleet {
namespace {

using namespace std::chrono_literals;

// Long enough to gather the removals of many domains into one call, short against any TTL.
constexpr Duration sweep_linger = 2s;

// Steps under way at a drain are mostly waiting for one answer; what takes longer is begun anew
// by the next run, which looks first.
constexpr Duration drain_within = 5s;

}  // namespace

Executor::Executor(Ports& ports, Options options)
    : ports_(ports),
      options_(std::move(options)),
      steps_(ports),
      chores_(ports, options_.patience),
      budget_(ports),
      work_(*ports.loop),
      background_(*ports.loop),
      changed_(*ports.loop),
      sweep_wakeup_(*ports.loop) {}

void Executor::drain() {
  draining_ = true;
  changed_.notify_all();
}

Task<Status> Executor::run() {
  background_.spawn(keep_lease());
  background_.spawn(sweep_when_asked());
  Status status;
  std::exception_ptr thrown;
  try {
    status = co_await work_until_done();
    if (draining_ || lease_lost_) co_await finish_steps();
  } catch (...) {
    thrown = std::current_exception();  // nothing can be awaited in here
  }
  if (thrown) work_.cancel();
  co_await work_.join();
  background_.cancel();
  co_await background_.join();
  if (thrown) std::rethrow_exception(thrown);

  if (lease_lost_) {
    co_return fail(Error::Kind::conflict, "execute",
                   "another process has taken over the execution for this store");
  }
  if (status && broken_) status = fail(*broken_);
  if (status && !draining_) co_await sweep(&dns::ChangeBatcher::sweep);
  co_return status;
}

Task<void> Executor::finish_steps() {
  auto finished = work_.join();
  const bool in_time =
      co_await runtime::finished_by(&ports_.clock(), now() + drain_within, std::move(finished));
  if (!in_time) work_.cancel();
}

Task<Status> Executor::work_until_done() {
  auto active = co_await ports_.store->active_issuances();
  if (!active) co_return fail(std::move(active.error()));
  for (auto& issuance : *active) {
    const auto domain = issuance.domain_id;
    leftover_.emplace(domain, std::move(issuance));
  }
  if (auto taken = co_await take_up_revocations(); !taken) co_return taken;

  Time next_poll = now();
  while (!draining_ && !lease_lost_ && !broken_ && !defect_) {
    // Who else waits for what is postponed executes it himself when we have ended.
    const auto is_ours = [this](const auto& each) { return each.second.owner == options_.owner; };
    const auto idle = [this, is_ours] {
      return tracked_.empty() && chores_.empty() && busy_.empty() &&
             std::ranges::none_of(postponed_, is_ours);
    };
    if (now() >= next_poll || (idle() && !options_.serves)) {
      if (auto admitted = co_await admit_requests(); !admitted) co_return admitted;
      next_poll = now() + options_.request_poll;
      if (idle() && !options_.serves) break;
    }
    while (!postponed_.empty() && postponed_.begin()->first <= now()) {
      auto request = std::move(postponed_.extract(postponed_.begin()).mapped());
      if (!tracked_.contains(request.domain_id)) progress_.total -= 1;  // it is counted already
      if (auto admitted = co_await admit(std::move(request)); !admitted) co_return admitted;
    }
    while (!waiting_.empty() && waiting_.begin()->first <= now()) {
      const auto id = waiting_.begin()->second;
      waiting_.erase(waiting_.begin());
      make_ready(id);
    }
    dispatch();
    Time wake = std::min(next_poll, chores_.next_due().value_or(next_poll));
    if (!waiting_.empty()) wake = std::min(wake, waiting_.begin()->first);
    if (!postponed_.empty()) wake = std::min(wake, postponed_.begin()->first);
    co_await changed_.wait_until(wake);
  }
  co_return Status{};
}

void Executor::wait_until(DomainId id, Time when) { waiting_.emplace(when, id); }

void Executor::make_ready(DomainId id) {
  const auto& tracked = tracked_.at(id);
  if (tracked.issuance == IssuanceId{}) {
    queued_[tracked.ca].emplace(tracked.urgency, id);
  } else {
    ready_.emplace(tracked.urgency, id);
  }
}

// Each domain has one thing done for it at a time; what else it wants waits for that.
void Executor::dispatch() {
  const auto room = [this] { return static_cast<int>(busy_.size()) < options_.running; };
  while (room()) {
    auto chore = chores_.next(busy_);
    if (!chore) break;
    const auto id = chore->request.domain_id;
    launch(id, do_chore(std::move(*chore)));
  }
  while (room()) {
    const auto id = take_free(ready_);
    if (!id) break;
    launch(*id, advance(*id));
  }
  for (auto& [ca, queue] : queued_) {
    const int most = ports_.cas.at(ca).max_in_flight;
    while (room() && in_flight_[ca] < most) {
      const auto id = take_free(queue);
      if (!id) break;
      tracked_.at(*id).holds_slot = true;
      in_flight_[ca] += 1;
      launch(*id, advance(*id));
    }
  }
}

std::optional<DomainId> Executor::take_free(std::set<std::pair<Time, DomainId>>& queue) const {
  const auto free = std::ranges::find_if(
      queue, [this](const auto& entry) { return !busy_.contains(entry.second); });
  if (free == queue.end()) return std::nullopt;
  const auto id = free->second;
  queue.erase(free);
  return id;
}

void Executor::launch(DomainId id, Task<Status> task) {
  busy_.insert(id);
  work_.spawn(work(id, std::move(task)));
}

Task<void> Executor::work(DomainId id, Task<Status> task) {
  Status status;
  try {
    status = co_await std::move(task);
  } catch (...) {
    // A defect or a cancellation: the task group tells join(), and nothing new is begun.
    busy_.erase(id);
    defect_ = true;
    changed_.notify_all();
    throw;
  }
  busy_.erase(id);
  if (!status) {
    // Without its store nothing may go on: what is not journalled must not happen.
    log::error("{}", status.error().message());
    if (!broken_) broken_ = std::move(status.error());
  }
  changed_.notify_all();
}

Task<Status> Executor::do_chore(Chore chore) {
  const auto id = chore.request.domain_id;
  auto request = chore.request;
  auto report = co_await chores_.carry_on(std::move(chore));
  if (!report) co_return Status{};
  // It may have ended what an earlier process had begun.
  if (leftover_.contains(id)) {
    auto active = co_await ports_.store->active_issuance(id);
    if (!active) co_return fail(std::move(active.error()));
    if (!*active) leftover_.erase(id);
  }
  if (report->error) log::warning("{}: {}", report->domain, report->error->message());
  auto told = co_await tell(std::move(request), std::move(*report));
  if (told && options_.finished) options_.finished(id);
  co_return told;
}

Task<Status> Executor::tell(WorkRequest request, Report report) {
  if (request.id == 0) {
    if (request.kind != WorkRequest::Kind::deploy) co_return Status{};
    co_return co_await note_unasked(std::move(request.domain), std::move(report.error));
  }
  count(report);
  auto text = to_text(report);
  co_return co_await ports_.store->finish_request(request.id, std::move(text));
}

bool Executor::is_at_work(DomainId id) const {
  return tracked_.contains(id) || busy_.contains(id) || chores_.has(id);
}

Task<Status> Executor::note_unasked(Fqdn name, std::optional<Error> error) {
  auto row = co_await ports_.store->domain(std::move(name));
  if (!row && row.error().kind == Error::Kind::not_found) co_return Status{};
  if (!row) co_return fail(std::move(row.error()));
  store::Changes::Outcome outcome;
  if (error) {
    outcome.failures = row->domain.failures + 1;
    const auto pause =
        policy::slow_lane(outcome.failures, ports_.random->fraction(), now(), end_of(*row));
    outcome.next_at = std::max(error->retry_at.value_or(now()), now() + pause);
    error->retry_at = outcome.next_at;
    outcome.last_error = std::move(error);
  }
  store::Changes changes;
  changes.outcome = std::move(outcome);
  co_return co_await ports_.store->amend(row->domain.id, std::move(changes));
}

void Executor::note(const Issuance& before, const Issuance& after) {
  const auto passed = [&](Step step) { return before.step <= step && after.step > step; };
  if (passed(Step::validate)) {
    sweep_wanted_ = true;
    sweep_wakeup_.notify_all();
  }
  if (passed(Step::download)) progress_.issued += 1;
  if (passed(Step::store)) progress_.stored += 1;
  if (passed(Step::install) && !after.certificate->targets.empty()) progress_.installed += 1;
  if (passed(Step::prove) && after.certificate->served) progress_.served += 1;
}

void Executor::count(const Report& report) {
  switch (report.outcome) {
    case Outcome::issued:
      break;
    case Outcome::current:
      progress_.current += 1;
      break;
    case Outcome::deferred:
      progress_.deferred += 1;
      break;
    case Outcome::failed:
      progress_.failed += 1;
      break;
  }
  progress_.finished += 1;
}

Task<Status> Executor::finish(DomainId id, Report report, std::optional<Time> again_at) {
  if (report.error) log::warning("{}: {}", report.domain, report.error->message());
  if (options_.serves && report.outcome == Outcome::issued && report.certificate) {
    log::info("{}: certificate {}, good until {}", report.domain, report.certificate->serial,
              format_time(report.certificate->not_after));
  }
  const auto text = to_text(report);
  // What is patient enough has no result yet.
  const auto goes_on = [again_at](const WorkRequest& request) {
    return again_at && request.arguments.patient_until.value_or(Time()) >= *again_at;
  };
  // By index: a request for the same domain may be admitted meanwhile.
  auto& requests = tracked_.at(id).requests;
  if (requests.empty() && report.error && !tracked_.at(id).noted) {
    auto noted = co_await note_unasked(report.domain, report.error);
    if (!noted) co_return noted;
  }
  bool has_result = requests.empty();
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (goes_on(requests[i])) continue;
    has_result = true;
    auto done = co_await ports_.store->finish_request(requests[i].id, text);
    if (!done) co_return done;
  }
  if (has_result) count(report);
  if (has_result && std::ranges::any_of(requests, goes_on)) progress_.total += 1;
  for (auto& request : requests) {
    if (goes_on(request)) postponed_.emplace(*again_at, std::move(request));
  }
  tracked_.erase(id);
  if (options_.finished) options_.finished(id);
  co_return Status{};
}

policy::Plan Executor::plan_of(const store::DomainRow& row) const {
  return policy::plan_for(row.domain, row.certificate, row.working,
                          targets_of(row.domain, ports_.defaults), ports_.defaults.renew_at, now());
}

policy::End Executor::end_of(const store::DomainRow& row) {
  return row.certificate ? policy::End(row.certificate->not_after) : std::nullopt;
}

void Executor::release_slot(Tracked& tracked) {
  if (!std::exchange(tracked.holds_slot, false)) return;
  in_flight_[tracked.ca] -= 1;
  changed_.notify_all();
}

Task<void> Executor::keep_lease() {
  while (!lease_lost_) {
    co_await ports_.clock().sleep_for(options_.lease_ttl / 3);
    auto lease = co_await ports_.store->acquire_lease(options_.owner, options_.lease_ttl, nullptr);
    if (lease && lease->owner != options_.owner) {
      lease_lost_ = true;
      changed_.notify_all();
    }
  }
}

Task<void> Executor::sweep_when_asked() {
  while (true) {
    if (!sweep_wanted_) co_await sweep_wakeup_.wait_until(now() + options_.sweep_every);
    co_await ports_.clock().sleep_for(sweep_linger);
    sweep_wanted_ = false;
    co_await sweep(&dns::ChangeBatcher::sweep_in_passing);
  }
}

Task<void> Executor::sweep(Task<Status> (dns::ChangeBatcher::*how)()) {
  for (const auto& [name, port] : ports_.dns) {
    auto swept = co_await (port.batcher->*how)();
    if (!swept) {
      log::warning("challenge values of [dns.{}] could not be removed and stay in the ledger: {}",
                   name, swept.error().message());
    }
  }
}

}  // namespace certherd::fleet
