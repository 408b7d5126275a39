#include "fleet/ca_budget.hpp"

#include <algorithm>
#include <utility>

#include "crypto/encoding.hpp"
#include "policy/renewal.hpp"

namespace certherd::fleet {
namespace {

using policy::CaDraw;
using policy::CaLimit;
using store::Amendment;
using Spent = CaDraw::Spent;

// A later moment is not believed (policy/backoff.hpp): who has to wait for longer asks again then.
constexpr Duration longest_wait = std::chrono::days(7);

bool is_the_accounts(CaLimit limit) {
  return limit == CaLimit::new_orders || limit == CaLimit::failed_validations ||
         limit == CaLimit::consecutive_failures;
}

bool same(std::vector<Fqdn> left, std::vector<Fqdn> right) {
  std::ranges::sort(left);
  std::ranges::sort(right);
  return left == right;
}

/// Whose validation failed, as the CA names them: once for each authorization, of which a name and
/// its wildcard have one each. The CA may tell of one and count the other a moment later.
std::vector<Fqdn> failing_names(const Error& error, const std::vector<Fqdn>& names) {
  std::vector<Fqdn> failing;
  for (const auto& name : names) {
    auto validated = name.without_wildcard();
    const bool blamed = std::ranges::any_of(
        error.causes, [&validated](const Error& cause) { return cause.op == validated.text(); });
    if (blamed) failing.push_back(std::move(validated));
  }
  return failing;
}

/// Whether the CA may have taken the order although it gave an error.
bool may_have_counted(const Error& error) { return !error.problem; }

}  // namespace

runtime::Allowance allowance_of(const policy::CaBucket& bucket, const policy::Rate& rate,
                                const AccountUrl& account, const std::string& authority) {
  // A certificate may have a hundred names.
  const auto subject = bucket.limit == CaLimit::certificates_for_same_names
                           ? crypto::base64url(crypto::sha256(bucket.subject))
                           : bucket.subject;
  const auto& whose = is_the_accounts(bucket.limit) ? account.text() : authority;
  return {.name = fmt::format("acme {} {} {}", whose, to_string(bucket.limit), subject),
          .per_second = rate.per_second(),
          .burst = static_cast<double>(rate.units)};
}

policy::OrderFacts facts_of(const store::DomainRow& row, const CaName& ca, Time now) {
  policy::OrderFacts facts;
  facts.names = row.domain.all_names();
  facts.first = !row.certificate;
  if (row.certificate) {
    const auto& present = *row.certificate;
    facts.same_names_before = present.ca == ca && same(present.names, facts.names) &&
                              now - present.not_before < policy::same_names_within;
    const auto& window = present.renewal.window;
    facts.within_renewal_window = window && window->start <= now && now < window->end &&
                                  policy::can_be_replaced(present, ca, facts.names, now);
  }
  return facts;
}

const policy::Rate& CaBudget::rate_of(const CaPort& port, const policy::CaBucket& bucket) const {
  return port.limits.rates.at(bucket.limit);
}

runtime::Allowance CaBudget::allowance_of(const CaPort& port,
                                          const policy::CaBucket& bucket) const {
  return fleet::allowance_of(bucket, rate_of(port, bucket), port.account, port.authority);
}

bool CaBudget::may_order(DomainId id) const {
  const auto held = held_.find(id);
  return held != held_.end() && held->second.may_order;
}

Task<Result<std::optional<Error>>> CaBudget::ask(DomainId id, CaName ca, policy::OrderFacts order) {
  if (auto dropped = co_await drop(id); !dropped) co_return fail(std::move(dropped.error()));
  const auto& port = ports_.cas.at(ca);
  Held held{.ca = ca, .draws = policy::draws_of(port.limits, order), .may_order = true};
  // Counted first: who is told of a unit that was counted meanwhile must know of ours.
  count(held, 1);
  std::vector<store::Demand> demands;
  std::vector<policy::CaBucket> asked;
  for (const auto& draw : held.draws) {
    if (!draw.asked) continue;
    auto allowance = allowance_of(port, draw.bucket);
    const bool taken = draw.spent != Spent::by_failure;
    const int others = taken ? uncounted_.at(allowance.name) - 1 : 0;
    asked.push_back(draw.bucket);
    demands.push_back({.allowance = std::move(allowance),
                       .kept = static_cast<double>(draw.kept),
                       .taken = taken,
                       .uncounted = others});
  }
  if (demands.empty()) {
    held_.insert_or_assign(id, std::move(held));
    co_return std::nullopt;
  }
  auto wanted = demands;
  auto room = co_await ports_.store->take_all(std::move(wanted));
  if (!room || !room->now) count(held, -1);
  if (!room) co_return fail(std::move(room.error()));
  if (room->now) {
    told_.erase(id);
    held_.insert_or_assign(id, std::move(held));
    co_return std::nullopt;
  }
  const auto& bucket = asked.at(room->last);
  const auto& rate = rate_of(port, bucket);
  const auto& name = demands.at(room->last).allowance.name;
  const bool told_before = std::exchange(told_[id], name) == name;
  const Time turn = turns_.next(name, room->from, rate.interval(), told_before);
  const Time longest = ports_.clock().now() + longest_wait;
  co_return policy::limit_reached(bucket, rate, ca.text(), std::min(turn, longest));
}

void CaBudget::take_over(DomainId id, CaName ca, policy::OrderFacts order) {
  auto draws = policy::draws_of(ports_.cas.at(ca).limits, order);
  std::erase_if(draws, [](const CaDraw& draw) { return draw.spent == Spent::by_order; });
  Held held{.ca = std::move(ca), .draws = std::move(draws)};
  count(held, 1);
  held_.insert_or_assign(id, std::move(held));
}

void CaBudget::count(const Held& held, int units) {
  const auto& port = ports_.cas.at(held.ca);
  for (const auto& draw : held.draws) {
    if (!draw.asked || draw.spent == Spent::by_failure) continue;
    auto& uncounted = uncounted_[allowance_of(port, draw.bucket).name];
    uncounted += units;
    if (uncounted == 0) uncounted_.erase(allowance_of(port, draw.bucket).name);
  }
}

int CaBudget::count_off(const runtime::Allowance& allowance) {
  const auto uncounted = uncounted_.find(allowance.name);
  if (uncounted == uncounted_.end()) return 0;
  const int others = --uncounted->second;
  if (others == 0) uncounted_.erase(uncounted);
  return others;
}

void CaBudget::settle_order(Held& held, bool spent, std::vector<Amendment>& amendments) {
  const auto& port = ports_.cas.at(held.ca);
  held.may_order = false;
  std::erase_if(held.draws, [&](const CaDraw& draw) {
    if (draw.spent != Spent::by_order) return false;
    auto allowance = allowance_of(port, draw.bucket);
    const int others = count_off(allowance);
    amendments.push_back({.kind = spent ? Amendment::Kind::counted : Amendment::Kind::give_back,
                          .allowance = std::move(allowance),
                          .others = others});
    return true;
  });
}

void CaBudget::give_back(Held& held, std::vector<Amendment>& amendments) {
  const auto& port = ports_.cas.at(held.ca);
  for (const auto& draw : held.draws) {
    if (!draw.asked || draw.spent == Spent::by_failure) continue;
    auto allowance = allowance_of(port, draw.bucket);
    count_off(allowance);
    amendments.push_back({.kind = Amendment::Kind::give_back, .allowance = std::move(allowance)});
  }
}

Task<Status> CaBudget::passed(DomainId id, Step before, Step after, bool placed) {
  const auto found = held_.find(id);
  if (found == held_.end()) co_return Status();
  std::vector<Amendment> amendments;
  if (before == Step::new_order && after > Step::new_order) {
    settle_order(found->second, placed, amendments);
  }
  if (before < Step::download && after == Step::download) {
    const auto held = std::move(held_.extract(found).mapped());
    const auto& port = ports_.cas.at(held.ca);
    for (const auto& draw : held.draws) {
      auto allowance = allowance_of(port, draw.bucket);
      if (draw.bucket.limit == CaLimit::consecutive_failures) {
        amendments.push_back({.kind = Amendment::Kind::refill, .allowance = std::move(allowance)});
      } else if (draw.spent == Spent::by_certificate && draw.asked) {
        const int others = count_off(allowance);
        amendments.push_back({.kind = Amendment::Kind::counted,
                              .allowance = std::move(allowance),
                              .others = others});
      } else if (draw.spent == Spent::by_certificate) {
        amendments.push_back({.kind = Amendment::Kind::spend, .allowance = std::move(allowance)});
      }
    }
  }
  co_return co_await ports_.store->amend_allowances(std::move(amendments));
}

Task<Status> CaBudget::failed(DomainId id, Issuance issuance, Error error, bool over) {
  const auto ca = ports_.cas.find(issuance.ca);
  if (ca == ports_.cas.end()) co_return Status();
  const auto& port = ca->second;
  std::vector<Amendment> amendments;
  if (const auto found = held_.find(id); found != held_.end()) {
    const bool sent = issuance.step == Step::new_order && may_have_counted(error);
    // The next order asks for all of it anew.
    if (issuance.step <= Step::new_order || over) {
      settle_order(found->second, sent, amendments);
      give_back(found->second, amendments);
      held_.erase(found);
    }
  }
  const auto add = [&](Amendment::Kind kind, const policy::CaBucket& bucket, Time until = {}) {
    if (!port.limits.rates.contains(bucket.limit)) return;
    amendments.push_back({.kind = kind, .allowance = allowance_of(port, bucket), .until = until});
  };
  if (over && issuance.step >= Step::answer && issuance.step <= Step::poll_order) {
    for (const auto& name : failing_names(error, issuance.names)) {
      add(Amendment::Kind::spend, {CaLimit::failed_validations, name.text()});
      add(Amendment::Kind::spend, {CaLimit::consecutive_failures, name.text()});
    }
  }
  const bool limited = error.kind == Error::Kind::throttled && error.retry_at && error.problem &&
                       error.problem->is_acme("rateLimited");
  if (limited) {
    add(Amendment::Kind::close, policy::bucket_of(*error.problem, issuance.names), *error.retry_at);
  }
  co_return co_await ports_.store->amend_allowances(std::move(amendments));
}

Task<Status> CaBudget::drop(DomainId id) {
  const auto found = held_.find(id);
  if (found == held_.end()) co_return Status();
  std::vector<Amendment> amendments;
  give_back(found->second, amendments);
  held_.erase(found);
  co_return co_await ports_.store->amend_allowances(std::move(amendments));
}

}  // namespace certherd::fleet
