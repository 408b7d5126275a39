#include "app/target_limits.hpp"

#include "base/log.hpp"

namespace certherd::app {
namespace {

using policy::Action;

/// Whether a certificate of the domain stands at the target already.
bool stands_at(const store::DomainRow& row, const TargetName& target) {
  if (!row.certificate) return false;
  const auto outcome = row.certificate->targets.find(target);
  return outcome != row.certificate->targets.end() && outcome->second != Installed::failed;
}

int writes_of(const deploy::TargetSection& section, const deploy::Installing& installing,
              Action action) {
  switch (action) {
    case Action::issue:
    case Action::renew:
    case Action::deploy:
      return section.writes_in_all(installing);
    case Action::prove:
    case Action::clean_up:
      return section.writes_in_all(installing) - section.writes(installing);
    case Action::none:
      break;
  }
  return 0;
}

}  // namespace

Task<Result<TargetLimits>> TargetLimits::read(App* app) {
  TargetLimits read;
  read.defaults_ = app->config().defaults;
  std::map<std::string, std::size_t> known;  // sections may share an allowance
  for (const auto& [name, section] : app->config().targets) {
    auto limit = section->limit();
    if (!limit) log::warning("[target.{}]: {}", name, limit.error().message());
    if (!limit || !*limit) continue;
    const auto& allowance = (*limit)->allowance;
    const auto [place, is_new] = known.emplace(allowance.name, read.limits_.size());
    if (is_new) {
      auto taken_until = co_await app->store().taken_until(allowance);
      if (!taken_until) co_return fail(std::move(taken_until.error()));
      read.limits_.push_back({.words = (*limit)->words,
                              .units = allowance.burst,
                              .window = allowance.window,
                              .taken_until = *taken_until});
    }
    read.targets_.emplace(name, Target{.section = section, .limit = place->second});
  }
  co_return read;
}

std::vector<policy::Need> TargetLimits::needs(const store::DomainRow& row,
                                              const policy::Plan& plan) const {
  std::vector<policy::Need> needs;
  const auto choice = row.domain.key.empty()
                          ? defaults_.key
                          : parse_key_choice(row.domain.key).value_or(KeyChoice{});
  for (const auto& name : fleet::targets_of(row.domain, defaults_)) {
    const auto target = targets_.find(name);
    if (target == targets_.end()) continue;
    const bool stands = stands_at(row, name);
    if (plan.action == Action::deploy && !row.working && stands) continue;
    const deploy::Installing installing{.first = !stands,
                                        .new_key = !(choice.keep && row.certificate),
                                        .names = row.domain.all_names().size()};
    needs.push_back({.limit = target->second.limit,
                     .units = writes_of(*target->second.section, installing, plan.action)});
  }
  return needs;
}

}  // namespace certherd::app
