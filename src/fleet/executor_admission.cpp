#include "fleet/executor.hpp"

// What comes to the executor: requests, what is due, and what earlier processes have begun.

#include <algorithm>

#include "base/log.hpp"
#include "policy/backoff.hpp"
#include "policy/plan.hpp"

namespace certherd::fleet {

bool Executor::has_open_order(const Issuance& issuance) { return issuance.step <= Step::download; }

Error Executor::not_open(const Fqdn& domain, const policy::Opening& opening, Time now) {
  Error error;
  error.kind = Error::Kind::throttled;
  error.op = "put off";
  error.detail = fmt::format("held back by {}; certherd issue {} does it all the same",
                             opening.words(now), domain);
  const Time until = opening.from(now);
  if (until != Time::max()) error.retry_at = until;
  return error;
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

Task<Result<Time>> Executor::admit_due(const store::DomainRow* row) {
  const auto& domain = row->domain;
  if (!domain.enabled || is_at_work(domain.id)) co_return Time::max();
  const auto plan = plan_of(*row);
  if (plan.action == policy::Action::none || plan.at > now()) co_return plan.at;
  if (draining_ || lease_lost_ || broken_) co_return Time::max();
  WorkRequest request;
  request.kind = WorkRequest::Kind::renew;
  request.domain_id = domain.id;
  request.domain = domain.name;
  auto admitted = co_await admit(std::move(request));
  if (!admitted) co_return fail(std::move(admitted.error()));
  changed_.notify_all();
  co_return Time::max();
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

void Executor::ask(Tracked& tracked, WorkRequest request) {
  if (!request.arguments.serial.empty()) tracked.replaced = request.arguments.serial;
  if (request.id != 0) tracked.requests.push_back(std::move(request));
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
             policy::must_wait(issuance.next_at, issuance.last_error, now() + options_.patience)) {
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
  if (has_open_order(issuance)) {
    entry.holds_slot = true;
    in_flight_[entry.ca] += 1;
  }
  note(Issuance{}, issuance);
  make_ready(id);
  co_return Status{};
}

}  // namespace certherd::fleet
