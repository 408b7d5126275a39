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
// For what a sweep could not remove, or was not allowed to forget yet.
constexpr Duration sweep_every = 30min;

// Steps under way at a drain are mostly waiting for one answer; what takes longer is begun anew
// by the next run, which looks first.
constexpr Duration drain_within = 5s;

// An order is open at the CA from newOrder until its certificate has been fetched.
bool order_open(Step step) { return step <= Step::download; }

/// That hold or window let nothing be done now.
Error not_open(const Fqdn& domain, const policy::Opening& opening, Time now) {
  Error error;
  error.kind = Error::Kind::throttled;
  error.op = "put off";
  error.detail = fmt::format("held back by {}; certherd issue {} does it all the same",
                             opening.words(now), domain);
  const Time until = opening.from(now);
  if (until != Time::max()) error.retry_at = until;
  return error;
}

bool has_placed_an_order(const store::Changes& changes) {
  return std::ranges::any_of(changes.events,
                             [](const Event& event) { return event.event == "order.placed"; });
}

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

// What an earlier process has begun: nobody waits for it, and it must be done all the same.
Task<Status> Executor::take_up_revocations() {
  auto begun = co_await ports_.store->revocations_begun();
  if (!begun) co_return fail(std::move(begun.error()));
  for (const auto& certificate : *begun) {
    if (certificate.not_after <= now()) continue;
    WorkRequest request;
    request.kind = WorkRequest::Kind::revoke;
    request.domain_id = certificate.domain_id;
    request.domain = certificate.domain;
    request.arguments.serial = certificate.serial;
    request.arguments.reason = *certificate.revocation_reason;
    chores_.add(std::move(request), now());
  }
  co_return Status{};
}

Task<Status> Executor::admit_requests() {
  auto open = co_await ports_.store->open_requests(last_request_);
  if (!open) co_return fail(std::move(open.error()));
  for (auto& request : *open) {
    last_request_ = request.id;
    if (auto admitted = co_await admit(std::move(request)); !admitted) co_return admitted;
  }
  co_return Status{};
}

Task<Status> Executor::admit(WorkRequest request) {
  if (Chores::takes(request.kind)) {
    progress_.total += 1;
    chores_.add(std::move(request), now());
    co_return Status{};
  }
  const bool explicitly = request.kind == WorkRequest::Kind::issue;
  if (auto known = tracked_.find(request.domain_id); known != tracked_.end()) {
    known->second.asked = known->second.asked || explicitly;
    ask(known->second, std::move(request));
    co_return Status{};
  }
  progress_.total += 1;
  Tracked tracked;
  tracked.domain = request.domain;
  tracked.asked = explicitly;
  ask(tracked, request);
  auto& entry = tracked_.emplace(request.domain_id, std::move(tracked)).first->second;
  const auto id = request.domain_id;

  auto row = co_await ports_.store->domain(request.domain);
  if (!row) {
    Report report{.domain = request.domain,
                  .outcome = Outcome::failed,
                  .certificate = {},
                  .error = std::move(row.error())};
    co_return co_await finish(id, std::move(report));
  }
  const auto& replaced = request.arguments.serial;
  if (!replaced.empty() && (!row->certificate || row->certificate->serial != replaced)) {
    Report report{.domain = request.domain,
                  .outcome = Outcome::current,
                  .certificate = row->certificate,
                  .error = {}};
    co_return co_await finish(id, std::move(report));
  }
  const auto plan = plan_of(*row);
  if (!explicitly && plan.action == policy::Action::none) {
    Report report{.domain = request.domain,
                  .outcome = Outcome::current,
                  .certificate = row->certificate,
                  .error = {}};
    co_return co_await finish(id, std::move(report));
  }
  if (!explicitly && plan.at > now() + options_.patience) {
    Report report{.domain = request.domain,
                  .outcome = Outcome::deferred,
                  .certificate = row->certificate,
                  .error = row->domain.last_error};
    if (plan.opening.from(now()) > now()) {
      report.error = not_open(request.domain, plan.opening, now());
    } else if (report.error) {
      report.error->retry_at = plan.at;
    }
    co_return co_await finish(id, std::move(report));
  }
  if (!explicitly && plan.action == policy::Action::deploy && !row->working) {
    // The certificate is good, and some target lacks it: one that was added since, most likely.
    tracked_.erase(id);
    request.kind = WorkRequest::Kind::deploy;
    chores_.add(std::move(request), plan.at);
    co_return Status{};
  }
  auto choices = choices_of(row->domain, ports_);
  if (!choices) {
    Report report{.domain = request.domain,
                  .outcome = Outcome::failed,
                  .certificate = {},
                  .error = std::move(choices.error())};
    co_return co_await finish(id, std::move(report));
  }
  entry.ca = choices->ca;
  entry.urgency = plan.urgency;
  entry.due = plan.action == policy::Action::issue || plan.action == policy::Action::renew;
  const auto leftover = leftover_.find(id);
  if (leftover == leftover_.end()) {
    make_ready(id);
    co_return Status{};
  }
  auto issuance = std::move(leftover->second);
  leftover_.erase(leftover);
  // Nothing that a CA has to give is lost before finalize.
  if (issuance.ca != choices->ca && issuance.step < Step::finalize) {
    co_return co_await fail_over(id, std::move(issuance), std::move(choices->ca));
  }
  co_return co_await resume(id, std::move(issuance));
}

Task<Status> Executor::fail_over(DomainId id, Issuance issuance, CaName ca) {
  store::Changes changes;
  changes.events = {{.at = now(),
                     .domain = issuance.domain,
                     .event = "issuance.failed_over",
                     .detail = {{"from", issuance.ca.text()}, {"to", ca.text()}}}};
  issuance.step = Step::failed;
  issuance.sealed_key.clear();  // an abandoned order is never finalized, its key never used
  auto committed = co_await ports_.store->commit(std::move(issuance), std::move(changes));
  if (!committed && committed.error().kind != Error::Kind::conflict) {
    co_return fail(std::move(committed.error()));  // a conflict: somebody else has ended it
  }
  if (auto dropped = co_await budget_.drop(id); !dropped) co_return dropped;
  sweep_wanted_ = true;
  sweep_wakeup_.notify_all();
  make_ready(id);
  co_return Status{};
}

void Executor::ask(Tracked& tracked, WorkRequest request) {
  if (!request.arguments.serial.empty()) tracked.replaced = request.arguments.serial;
  if (request.id != 0) tracked.requests.push_back(std::move(request));
}

Task<Status> Executor::resume(DomainId id, Issuance issuance) {
  auto& entry = tracked_.at(id);
  std::optional<Error> obstacle;
  if (!ports_.cas.contains(issuance.ca)) {
    obstacle.emplace();
    obstacle->kind = Error::Kind::misconfigured;
    obstacle->op = "resume";
    obstacle->detail = fmt::format(
        "its issuance was begun at [ca.{}], which is no longer in the "
        "config: put it back until this issuance is over",
        issuance.ca);
  } else if (const auto& unusable = ports_.cas.at(issuance.ca).unusable) {
    obstacle = unusable;
  } else if (issuance.last_error && issuance.last_error->kind == Error::Kind::throttled &&
             policy::must_wait(issuance.next_at, now() + options_.patience)) {
    obstacle = issuance.last_error;  // the other side has named its time
  }
  if (obstacle) {
    const bool limited = obstacle->kind == Error::Kind::throttled;
    std::optional<Time> again_at;
    if (limited) again_at = issuance.next_at;
    Report report{.domain = entry.domain,
                  .outcome = limited ? Outcome::deferred : Outcome::failed,
                  .certificate = issuance.certificate,
                  .error = std::move(obstacle)};
    // It is still the domain's active one.
    leftover_.insert_or_assign(id, std::move(issuance));
    co_return co_await finish(id, std::move(report), again_at);
  }
  entry.ca = issuance.ca;
  entry.issuance = issuance.id;
  entry.look_first = true;
  entry.taken_over = true;
  if (order_open(issuance.step)) {
    entry.holds_slot = true;
    in_flight_[entry.ca] += 1;
  }
  note(Issuance{}, issuance);
  make_ready(id);
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

std::set<DomainId> Executor::at_work() const {
  auto domains = chores_.domains();
  domains.insert(busy_.begin(), busy_.end());
  for (const auto& [id, tracked] : tracked_) domains.insert(id);
  return domains;
}

Task<Status> Executor::note_unasked(Fqdn name, std::optional<Error> error) {
  auto row = co_await ports_.store->domain(std::move(name));
  if (!row && row.error().kind == Error::Kind::not_found) co_return Status{};
  if (!row) co_return fail(std::move(row.error()));
  store::Changes::Outcome outcome;
  if (error) {
    outcome.failures = row->domain.failures + 1;
    const auto pause = policy::slow_lane(outcome.failures, ports_.random->fraction());
    outcome.next_at = std::max(error->retry_at.value_or(now()), now() + pause);
    error->retry_at = outcome.next_at;
    outcome.last_error = std::move(error);
  }
  store::Changes changes;
  changes.outcome = std::move(outcome);
  co_return co_await ports_.store->amend(row->domain.id, std::move(changes));
}

Task<Result<Time>> Executor::admit_due(std::vector<store::DomainRow> rows) {
  Time next = Time::max();
  const auto working = at_work();
  for (const auto& row : rows) {
    const auto& domain = row.domain;
    if (!domain.enabled || working.contains(domain.id)) continue;
    const auto plan = plan_of(row);
    if (plan.at > now()) next = std::min(next, plan.at);
    if (plan.action == policy::Action::none || plan.at > now()) continue;
    WorkRequest request;
    request.kind = WorkRequest::Kind::renew;
    request.domain_id = domain.id;
    request.domain = domain.name;
    if (draining_ || lease_lost_ || broken_) break;
    if (auto admitted = co_await admit(std::move(request)); !admitted) {
      co_return fail(std::move(admitted.error()));
    }
  }
  changed_.notify_all();
  co_return next;
}

// Takes one domain step by step until it has to wait or has its result.
Task<Status> Executor::advance(DomainId id) {
  auto& tracked = tracked_.at(id);
  auto domain = co_await ports_.store->domain(tracked.domain);
  if (!domain) co_return co_await inventory_changed(id, std::move(domain.error()));

  const bool fresh = tracked.issuance == IssuanceId{};
  if (fresh) {
    const auto open = co_await may_go_on(id, *domain, std::nullopt);
    if (!open) co_return fail(open.error());
    if (!*open) co_return Status{};
    const auto let = co_await may_order(id, *domain, std::nullopt);
    if (!let) co_return fail(let.error());
    if (!*let) co_return Status{};
  }
  auto row = fresh ? co_await begin(id, domain->domain)
                   : co_await ports_.store->issuance(tracked.issuance);
  if (!row) co_return co_await inventory_changed(id, std::move(row.error()));
  if (!row->active()) co_return co_await inventory_changed(id, Error());

  while (true) {
    if (row->step == Step::install) {
      const auto open = co_await may_go_on(id, *domain, *row);
      if (!open) co_return fail(open.error());
      if (!*open) co_return Status{};
    }
    if (row->step == Step::new_order && !budget_.may_order(id)) {
      const auto let = co_await may_order(id, *domain, *row);
      if (!let) co_return fail(let.error());
      if (!*let) co_return Status{};
    } else if (row->step > Step::new_order && row->step < Step::download && !budget_.knows(id)) {
      budget_.take_over(id, row->ca, facts_of(*domain, row->ca, now()));
    }
    const bool look_first = std::exchange(tracked.look_first, false);
    auto taken = co_await steps_.take(*row, domain->domain, look_first);
    if (!taken) {
      co_return co_await recover(id, domain->domain, std::move(*row), std::move(taken.error()));
    }
    const bool placed = has_placed_an_order(taken->changes);
    auto counted = co_await budget_.passed(id, row->step, taken->issuance.step, placed);
    if (!counted) co_return counted;
    taken->issuance.attempts = 0;
    taken->issuance.last_error.reset();
    auto committed =
        co_await ports_.store->commit(std::move(taken->issuance), std::move(taken->changes));
    if (!committed) co_return co_await inventory_changed(id, std::move(committed.error()));
    note(*row, *committed);
    row = std::move(committed);
    if (!order_open(row->step)) release_slot(tracked);
    const bool done = !row->active();
    if (done && row->certificate && row->certificate->serial == tracked.replaced) {
      // It was nearly through when it was asked that its own certificate be replaced.
      tracked.issuance = IssuanceId{};
      tracked.taken_over = false;
      make_ready(id);
      co_return Status{};
    }
    if (done) {
      Report report{.domain = tracked.domain,
                    .outcome = Outcome::issued,
                    .certificate = std::move(row->certificate),
                    .error = {}};
      co_return co_await finish(id, std::move(report));
    }
    if (draining_ || lease_lost_) co_return Status{};
    if (row->next_at > now()) {
      wait_until(id, row->next_at);
      co_return Status{};
    }
  }
}

Task<Result<bool>> Executor::may_go_on(DomainId id, store::DomainRow row,
                                       std::optional<Issuance> issuance) {
  auto& tracked = tracked_.at(id);
  if (tracked.asked) co_return true;
  if (issuance) {
    row.working = issuance->step;
    row.certificate = issuance->certificate;
  }
  const auto opening = plan_of(row).opening;
  const Time opens = opening.from(now());
  if (opens <= now()) co_return true;
  release_slot(tracked);
  if (opens <= now() + options_.patience) {
    wait_until(id, opens);
    co_return false;
  }
  auto error = not_open(tracked.domain, opening, now());
  if (issuance) {
    issuance->next_at = opens;
    store::Changes changes;
    changes.events = {{.at = now(),
                       .domain = tracked.domain,
                       .event = "install.deferred",
                       .detail = {{"reason", error.detail}, {"retry_at", format_time(opens)}}}};
    auto committed = co_await ports_.store->commit(std::move(*issuance), std::move(changes));
    if (!committed) {
      auto changed = co_await inventory_changed(id, std::move(committed.error()));
      if (!changed) co_return fail(std::move(changed.error()));
      co_return false;
    }
    leftover_.insert_or_assign(id, std::move(*committed));
  }
  tracked.noted = true;  // it has not failed
  Report report{.domain = tracked.domain,
                .outcome = Outcome::deferred,
                .certificate = std::move(row.certificate),
                .error = std::move(error)};
  auto finished = co_await finish(id, std::move(report));
  if (!finished) co_return fail(std::move(finished.error()));
  co_return false;
}

Task<Result<bool>> Executor::may_order(DomainId id, store::DomainRow row,
                                       std::optional<Issuance> issuance) {
  auto& tracked = tracked_.at(id);
  const auto ca = issuance ? issuance->ca : tracked.ca;
  auto facts = facts_of(row, ca, now());
  auto asked = co_await budget_.ask(id, ca, std::move(facts));
  if (!asked) co_return fail(std::move(asked.error()));
  if (!*asked) co_return true;
  auto& reached = **asked;
  const Time at = reached.retry_at.value_or(now());
  // Others may have the slot meanwhile; who has an order to go on with keeps it.
  if (!issuance) release_slot(tracked);
  if (at <= now() + options_.patience) {
    wait_until(id, at);
    co_return false;
  }
  // What only a request asks for would be forgotten with the request.
  if (!issuance && !tracked.due && !tracked.replaced.empty()) {
    auto begun = co_await begin(id, row.domain);
    if (!begun) {
      auto changed = co_await inventory_changed(id, std::move(begun.error()));
      if (!changed) co_return fail(std::move(changed.error()));
      co_return false;
    }
    issuance = std::move(*begun);
  }
  store::Changes changes;
  changes.outcome = {.failures = row.domain.failures, .next_at = at, .last_error = reached};
  changes.events = {{.at = now(),
                     .domain = tracked.domain,
                     .event = "order.deferred",
                     .detail = {{"reason", reached.detail}, {"retry_at", format_time(at)}}}};
  if (issuance) {
    issuance->last_error = reached;
    issuance->next_at = at;
    auto committed = co_await ports_.store->commit(std::move(*issuance), std::move(changes));
    if (!committed) {
      auto changed = co_await inventory_changed(id, std::move(committed.error()));
      if (!changed) co_return fail(std::move(changed.error()));
      co_return false;
    }
    leftover_.insert_or_assign(id, std::move(*committed));
    release_slot(tracked);
  } else {
    auto noted = co_await ports_.store->amend(id, std::move(changes));
    if (!noted) co_return fail(std::move(noted.error()));
  }
  tracked.noted = true;
  Report report{.domain = tracked.domain,
                .outcome = Outcome::deferred,
                .certificate = std::move(row.certificate),
                .error = std::move(reached)};
  auto finished = co_await finish(id, std::move(report), at);
  if (!finished) co_return fail(std::move(finished.error()));
  co_return false;
}

Task<Result<Issuance>> Executor::begin(DomainId id, Domain domain) {
  Issuance issuance;
  issuance.domain_id = id;
  issuance.domain = domain.name;
  issuance.names = domain.all_names();
  issuance.ca = tracked_.at(id).ca;
  issuance.created_at = now();
  issuance.next_at = now();
  store::Changes changes;
  changes.events = {{.at = now(),
                     .domain = domain.name,
                     .event = "issuance.started",
                     .detail = {{"ca", issuance.ca.text()}}}};
  auto started = co_await ports_.store->start(std::move(issuance), std::move(changes));
  if (started) tracked_.at(id).issuance = started->id;
  co_return started;
}

Task<Status> Executor::recover(DomainId id, Domain domain, Issuance issuance, Error error) {
  auto& tracked = tracked_.at(id);
  // The step may have committed on its way: what stands in the store is what goes on.
  auto row = co_await ports_.store->issuance(issuance.id);
  if (!row) co_return fail(std::move(row.error()));
  if (!row->active()) co_return co_await inventory_changed(id, std::move(error));

  row->attempts += 1;
  const auto reaction = policy::react(error, row->attempts, ports_.random->fraction(), now());
  const Step step = row->step;
  auto counted = co_await budget_.failed(id, *row, error, !reaction.keep_issuance);
  if (!counted) co_return counted;
  row->last_error = error;
  row->next_at = reaction.retry_at;
  // The request may have reached the CA although its answer did not reach us.
  if (step == Step::new_order &&
      (error.kind == Error::Kind::transient || error.kind == Error::Kind::deadline)) {
    row->order_unsure = true;
  }
  // The CA may have looked while the earlier process was gone, and its responder with it: that
  // says nothing about the domain, so a new order follows at once, this one time.
  const bool anew = !reaction.keep_issuance && tracked.taken_over && step > Step::new_order &&
                    step <= Step::finalize;
  if (anew) row->next_at = now();
  const bool put_off =
      !anew && (!reaction.keep_issuance || reaction.retry_at > now() + options_.patience);
  store::Changes changes;
  if (put_off) {
    const int failures = domain.failures + 1;
    const Time next =
        std::max(reaction.retry_at, now() + policy::slow_lane(failures, ports_.random->fraction()));
    if (!error.retry_at) error.retry_at = next;
    changes.outcome = {.failures = failures, .next_at = next, .last_error = error};
    row->next_at = next;
  }
  if (!reaction.keep_issuance) {
    row->step = Step::failed;
    row->sealed_key.clear();  // an abandoned order is never finalized, its key never used
  }
  const auto* name = !reaction.keep_issuance ? "issuance.failed"
                     : put_off               ? "issuance.put_off"
                                             : "issuance.retried";
  changes.events = {{.at = now(),
                     .domain = tracked.domain,
                     .event = name,
                     .detail = {{"step", std::string(to_string(step))},
                                {"kind", std::string(to_string(error.kind))},
                                {"error", error.message()},
                                {"retry_at", format_time(row->next_at)}}}};
  auto certificate = row->certificate;
  const Time retry_at = row->next_at;
  auto committed = co_await ports_.store->commit(std::move(*row), std::move(changes));
  if (!committed) co_return co_await inventory_changed(id, std::move(committed.error()));
  // A request that comes later in this run has to take it up: a domain has one active issuance.
  if (put_off && committed->active()) leftover_.insert_or_assign(id, std::move(*committed));
  if (anew) {
    log::debug("{}: {} (a new order follows)", tracked.domain, error.message());
    tracked.issuance = IssuanceId{};
    tracked.taken_over = false;
    release_slot(tracked);
    make_ready(id);
    co_return Status{};
  }
  tracked.look_first = true;
  tracked.noted = put_off;
  if (!put_off) {
    log::debug("{}: {} (again at {})", tracked.domain, error.message(), format_time(retry_at));
    wait_until(id, retry_at);
    co_return Status{};
  }
  sweep_wanted_ = true;
  sweep_wakeup_.notify_all();
  release_slot(tracked);
  const bool limited = error.kind == Error::Kind::throttled;
  Report report{.domain = tracked.domain,
                .outcome = limited ? Outcome::deferred : Outcome::failed,
                .certificate = std::move(certificate),
                .error = std::move(error)};
  co_return co_await finish(id, std::move(report), retry_at);
}

// Other processes change the inventory while this one works: the store ends the issuance then, and
// refuses to go on with it. With any other cause nothing can go on.
Task<Status> Executor::inventory_changed(DomainId id, Error error) {
  auto& tracked = tracked_.at(id);
  if (tracked.issuance != IssuanceId{}) {
    auto row = co_await ports_.store->issuance(tracked.issuance);
    if (!row) co_return fail(std::move(row.error()));
    if (row->active()) co_return fail(std::move(error));
  } else if (error.kind != Error::Kind::not_found) {
    co_return fail(std::move(error));
  }
  if (auto dropped = co_await budget_.drop(id); !dropped) co_return dropped;
  tracked.issuance = IssuanceId{};
  tracked.look_first = false;
  tracked.taken_over = false;
  release_slot(tracked);
  sweep_wanted_ = true;
  sweep_wakeup_.notify_all();

  std::optional<Error> obstacle;
  auto domain = co_await ports_.store->domain(tracked.domain);
  if (!domain && domain.error().kind != Error::Kind::not_found) {
    co_return fail(std::move(domain.error()));
  }
  if (domain) {
    auto choices = choices_of(domain->domain, ports_);
    if (choices) {
      tracked.ca = choices->ca;
    } else {
      obstacle = std::move(choices.error());
    }
  } else {
    obstacle = std::move(domain.error());
  }
  if (!obstacle) {
    log::debug("{}: changed in the inventory, begun anew", tracked.domain);
    make_ready(id);
    co_return Status{};
  }
  Report report{.domain = tracked.domain,
                .outcome = Outcome::failed,
                .certificate = {},
                .error = std::move(obstacle)};
  co_return co_await finish(id, std::move(report));
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
    if (!sweep_wanted_) co_await sweep_wakeup_.wait_until(now() + sweep_every);
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
