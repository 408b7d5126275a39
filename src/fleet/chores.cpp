#include "fleet/chores.hpp"

#include <algorithm>
#include <stdexcept>

#include "policy/backoff.hpp"

namespace certherd::fleet {
namespace {

using namespace std::chrono_literals;

constexpr Duration shortest_look = 250ms;
constexpr Duration longest_look = 30s;

}  // namespace

Chores::Chores(Ports& ports, Duration patience)
    : ports_(ports), patience_(patience), deployment_(ports), revocation_(ports) {}

void Chores::add(WorkRequest request, Time from) {
  Chore chore;
  chore.request = std::move(request);
  chore.next_at = from;
  wait(std::move(chore));
}

void Chores::wait(Chore chore) {
  const Time when = chore.next_at;
  count_[chore.request.domain_id] += 1;
  waiting_.emplace(when, std::move(chore));
}

std::optional<Chore> Chores::next(const std::set<DomainId>& busy) {
  const auto due = waiting_.upper_bound(now());
  for (auto it = waiting_.begin(); it != due; ++it) {
    if (busy.contains(it->second.request.domain_id)) continue;
    auto chore = std::move(it->second);
    waiting_.erase(it);
    const auto left = count_.find(chore.request.domain_id);
    if (--left->second == 0) count_.erase(left);
    return chore;
  }
  return std::nullopt;
}

std::optional<Time> Chores::next_due() const {
  const auto later = waiting_.upper_bound(now());
  if (later == waiting_.end()) return std::nullopt;
  return later->first;
}

Task<std::optional<Report>> Chores::carry_on(Chore chore) {
  auto taken = co_await take(&chore);
  if (!taken) co_return co_await recover(std::move(chore), std::move(taken.error()));
  if (!*taken) {
    wait(std::move(chore));
    co_return std::nullopt;
  }
  Report report;
  report.domain = chore.request.domain;
  report.outcome = Outcome::current;
  report.certificate = std::move((*taken)->certificate);
  co_return report;
}

Task<Result<std::optional<Chores::Done>>> Chores::take(Chore* chore) {
  switch (chore->request.kind) {
    case WorkRequest::Kind::deploy:
      co_return co_await deploy(chore);
    case WorkRequest::Kind::revoke: {
      auto revoked = co_await revocation_.revoke(chore->request);
      if (!revoked) co_return fail(std::move(revoked.error()));
      co_return Done{.certificate = std::move(*revoked)};
    }
    case WorkRequest::Kind::retire: {
      auto retired = co_await deployment_.retire(chore->request);
      if (!retired) co_return fail(std::move(retired.error()));
      co_return Done{.certificate = std::move(*retired)};
    }
    case WorkRequest::Kind::issue:
    case WorkRequest::Kind::renew:
      break;
  }
  throw std::logic_error("a certificate is got by an issuance");
}

Task<Result<std::optional<Chores::Done>>> Chores::deploy(Chore* chore) {
  if (!chore->installed) {
    auto installed = co_await deployment_.install(chore->request);
    if (!installed) co_return fail(std::move(installed.error()));
    chore->installed = std::move(*installed);
    chore->attempts = 0;
    chore->prove_until = now() + ports_.defaults.prove_within;
  }
  auto proven = co_await deployment_.prove(*chore->installed);
  if (proven) {
    auto cleaned = co_await deployment_.clean_up(*proven);
    if (!cleaned) co_return fail(std::move(cleaned.error()));
    co_return Done{.certificate = std::move(*proven)};
  }
  if (proven.error().kind != Error::Kind::deadline) co_return fail(std::move(proven.error()));
  if (now() >= chore->prove_until) {
    auto written = co_await deployment_.give_up(*chore->installed);
    if (!written) co_return fail(std::move(written.error()));
    co_return fail(std::move(proven.error()));
  }
  chore->next_at = now() + std::min(longest_look, shortest_look * (1 << std::min(chore->polls, 8)));
  chore->polls += 1;
  co_return std::nullopt;
}

Task<std::optional<Report>> Chores::recover(Chore chore, Error error) {
  chore.attempts += 1;
  const auto reaction = policy::react(error, chore.attempts, ports_.random->fraction(), now());
  if (reaction.keep_issuance && reaction.retry_at <= now() + patience_) {
    chore.next_at = reaction.retry_at;
    wait(std::move(chore));
    co_return std::nullopt;
  }
  Report report;
  report.domain = chore.request.domain;
  const bool limited = error.kind == Error::Kind::throttled;
  report.outcome = limited ? Outcome::deferred : Outcome::failed;
  report.error = std::move(error);
  // With what there is, so that a caller sees what was installed or revoked all the same.
  auto row = co_await ports_.store->domain(chore.request.domain);
  if (row) report.certificate = std::move(row->certificate);
  co_return report;
}

}  // namespace certherd::fleet
