#include "policy/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "policy/backoff.hpp"
#include "policy/due.hpp"
#include "policy/renewal.hpp"

namespace certherd::policy {
namespace {

/// What an issuance that was begun still has to do.
Action action_of(Step step, bool renewal) {
  if (step == Step::clean_up) return Action::clean_up;
  if (step == Step::prove) return Action::prove;
  if (step == Step::install) return Action::deploy;
  return renewal ? Action::renew : Action::issue;
}

std::string reason_of(Step step) {
  if (step == Step::clean_up) return "what earlier certificates left is not removed yet";
  if (step == Step::prove) return "the new certificate has not been seen served yet";
  if (step == Step::install) return "the new certificate is not installed everywhere yet";
  return fmt::format("an issuance was begun and is at its step {}", to_string(step));
}

/// The targets that the certificate has not come to, as a list in words. One that is being revoked
/// is to come to none.
std::string missing_targets(const Certificate& certificate,
                            const std::vector<TargetName>& targets) {
  std::string missing;
  if (certificate.revocation_reason) return missing;
  for (const auto& target : targets) {
    const auto installed = certificate.targets.find(target);
    if (installed != certificate.targets.end() && installed->second != Installed::failed) continue;
    if (!missing.empty()) missing += ", ";
    missing += target.text();
  }
  return missing;
}

std::string pause_of(const Domain& domain) {
  if (domain.last_error && domain.last_error->kind == Error::Kind::throttled) {
    return "a limit of the other side";
  }
  return fmt::format("the pause after {} failure{}", domain.failures,
                     domain.failures == 1 ? "" : "s");
}

Opening opening_of(const Domain& domain, const std::optional<Certificate>& current,
                   std::optional<Step> working, Time now) {
  if (working && *working != Step::install) return {};
  const Time held_until = working ? Time::min() : hold_end(domain.hold).value_or(Time::min());
  // To be installed is the present certificate, and what may wait for it is the one before.
  const auto latest = !working  ? may_wait_until(current, now)
                      : current ? current->install_by
                                : std::nullopt;
  auto window = MaintenanceWindow::parse(latest ? domain.window : "");
  return {held_until, std::move(window).value_or(MaintenanceWindow()),
          latest.value_or(Time::max())};
}

}  // namespace

std::optional<Time> Plan::moment() const {
  if (at == Time::max()) return std::nullopt;
  return at;
}

void Plan::put_off(Time time, std::string why) {
  at = opening.from(time);
  limited_by = at > time ? opening.words(time) : std::move(why);
}

std::string_view to_string(Action action) {
  switch (action) {
    case Action::none:
      return "none";
    case Action::issue:
      return "issue";
    case Action::renew:
      return "renew";
    case Action::deploy:
      return "deploy";
    case Action::prove:
      return "prove";
    case Action::clean_up:
      return "clean_up";
  }
  return "none";
}

Plan plan_for(const Domain& domain, const std::optional<Certificate>& current,
              std::optional<Step> working, const std::vector<TargetName>& targets, double renew_at,
              Time now) {
  Plan plan;
  // One that was revoked is worth as little as none.
  const bool good = current && !current->revoked_at && !current->key_compromised();
  if (good) plan.urgency = current->not_after;
  plan.opening = opening_of(domain, current, working, now);
  if (working) {
    plan.action = action_of(*working, current.has_value());
    plan.reason = reason_of(*working);
  } else {
    auto due = when_due(domain, current, renew_at, now);
    plan.reason = std::move(due.reason);
    const auto missing = due.due ? std::string() : missing_targets(*current, targets);
    if (!missing.empty()) {
      plan.action = Action::deploy;
      plan.reason = "not installed on " + missing;
    } else if (due.due) {
      plan.action = current ? Action::renew : Action::issue;
    } else {
      plan.put_off(std::max(due.at, domain.next_at.value_or(due.at)), "");
      return plan;
    }
  }
  if (domain.next_at && must_wait(*domain.next_at, domain.last_error, now)) {
    plan.put_off(*domain.next_at, pause_of(domain));
  } else {
    plan.put_off(now, "");
  }
  return plan;
}

bool earlier(const Plan& left, const Plan& right) {
  return std::tie(left.at, left.urgency) < std::tie(right.at, right.urgency);
}

}  // namespace certherd::policy
