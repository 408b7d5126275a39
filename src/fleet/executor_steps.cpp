#include "fleet/executor.hpp"

// One domain, step by step.

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "policy/backoff.hpp"

namespace certherd::fleet {
namespace {

// Hundreds of orders look into the DNS every few seconds, and each row that is written costs its
// share of a sync to the disk. Who is killed meanwhile looks at once.
constexpr Duration longest_unwritten = std::chrono::minutes(1);

// What a domain's owner changes counts after so long at the latest; from `store` on, where a hold
// or a window keeps a certificate from being installed, sooner.
constexpr Duration longest_unread = std::chrono::minutes(10);
constexpr Duration longest_unread_to_install = std::chrono::minutes(1);

bool has_placed_an_order(const store::Changes& changes) {
  return std::ranges::any_of(changes.events,
                             [](const Event& event) { return event.event == "order.placed"; });
}

/// When the certificate ends that is served as long as this one is not: the last of the others that
/// a target has taken.
Task<Result<policy::End>> end_of_former(store::Store* store, DomainId domain, Serial present) {
  auto certificates = co_await store->certificates_of({domain});
  if (!certificates) co_return fail(std::move(certificates.error()));
  const auto is_served = [&present](const Certificate& certificate) {
    return certificate.serial != present &&
           std::ranges::any_of(certificate.targets, [](const auto& target) {
             return target.second != Installed::failed;
           });
  };
  const auto former = std::ranges::find_if(*certificates, is_served);
  co_return former == certificates->end() ? policy::End() : policy::End(former->not_after);
}

}  // namespace

// Takes one domain step by step until it has to wait or has its result.
Task<Status> Executor::advance(DomainId id) {
  auto& tracked = tracked_.at(id);
  // What others have changed meanwhile shows when the next step is written, which is before
  // anything is done that cannot be taken back.
  auto waited = std::exchange(tracked.waits, std::nullopt);
  const bool is_known = waited && now() < waited->read_at + longest_unread;
  Time read_at = is_known ? waited->read_at : now();
  auto domain = is_known ? Result<store::DomainRow>(std::move(waited->domain))
                         : co_await ports_.store->domain(tracked.domain);
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
  auto row = fresh    ? co_await begin(id, domain->domain)
             : waited ? Result<Issuance>(std::move(waited->issuance))
                      : co_await ports_.store->issuance(tracked.issuance);
  if (!row) co_return co_await inventory_changed(id, std::move(row.error()));
  if (!row->active()) co_return co_await inventory_changed(id, Error());

  while (true) {
    if (row->step >= Step::store && now() >= read_at + longest_unread_to_install) {
      read_at = now();
      domain = co_await ports_.store->domain(tracked.domain);
      if (!domain) co_return co_await inventory_changed(id, std::move(domain.error()));
    }
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
      co_return co_await recover(id, std::move(*domain), std::move(*row), std::move(taken.error()));
    }
    const Time next_at = taken->issuance.next_at;
    const bool is_clean = row->attempts == 0 && !row->last_error;
    if (taken->only_waits && is_clean && next_at <= now() + longest_unwritten) {
      tracked.waits.emplace(std::move(*domain), read_at, std::move(taken->issuance));
      if (!draining_ && !lease_lost_) wait_until(id, next_at);
      co_return Status{};
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
    if (!has_open_order(*row)) release_slot(tracked);
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
      if (row->next_at <= now() + longest_unwritten) {
        tracked.waits.emplace(std::move(*domain), read_at, std::move(*row));
      }
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

Task<Status> Executor::recover(DomainId id, store::DomainRow domain, Issuance issuance,
                               Error error) {
  auto& tracked = tracked_.at(id);
  // The step may have committed on its way: what stands in the store is what goes on.
  auto row = co_await ports_.store->issuance(issuance.id);
  if (!row) co_return fail(std::move(row.error()));
  if (!row->active()) co_return co_await inventory_changed(id, std::move(error));

  row->attempts += 1;
  const Step step = row->step;
  auto end = end_of(domain);
  if (row->certificate && (step == Step::install || step == Step::prove)) {
    // That one may live long: what counts is the end of what is served meanwhile.
    auto former = co_await end_of_former(ports_.store, id, row->certificate->serial);
    if (!former) co_return fail(std::move(former.error()));
    end = *former;
  }
  const auto reaction = policy::react(error, row->attempts, ports_.random->fraction(), now(), end);
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
    const int failures = domain.domain.failures + 1;
    Time next = reaction.retry_at;
    // From finalize on an issuance goes back only where the CA has forgotten something, so each
    // step is left alone for its own failures: who comes so far after weeks does not lose a day to
    // one more obstacle.
    if (step < Step::finalize || !reaction.keep_issuance) {
      const auto pause = policy::slow_lane(failures, ports_.random->fraction(), now(), end);
      next = std::max(next, now() + pause);
    }
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

}  // namespace certherd::fleet
