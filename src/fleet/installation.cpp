#include "fleet/installation.hpp"

#include <algorithm>
#include <array>

#include "runtime/together.hpp"

namespace certherd::fleet {
namespace {

using Kind = Error::Kind;

// What may pass by itself comes first: a domain is not put off for a day by one target while
// another one would take it in a second. `rejected` ends an issuance, so it comes last.
constexpr std::array kinds_by_patience = {Kind::transient,     Kind::throttled, Kind::deadline,
                                          Kind::conflict,      Kind::not_found, Kind::denied,
                                          Kind::misconfigured, Kind::rejected};

std::optional<Error> summary_of(std::map<TargetName, Error> errors, std::string_view doing) {
  if (errors.empty()) return std::nullopt;
  const auto named = [doing](const TargetName& name, Error error) {
    return std::move(error).during(fmt::format("{} on {}", doing, name));
  };
  if (errors.size() == 1) {
    auto& [name, error] = *errors.begin();
    return named(name, std::move(error));
  }
  Error all;
  all.op = doing;
  all.detail = fmt::format("{} targets failed", errors.size());
  all.kind = *std::ranges::find_if(kinds_by_patience, [&errors](Kind kind) {
    return std::ranges::any_of(errors,
                               [kind](const auto& entry) { return entry.second.kind == kind; });
  });
  for (auto& [name, error] : errors) {
    if (error.kind == all.kind && error.retry_at) {
      all.retry_at = std::min(*error.retry_at, all.retry_at.value_or(*error.retry_at));
    }
    all.causes.push_back(named(name, std::move(error)));
  }
  return all;
}

struct Installing {
  TargetName name;
  std::optional<Installed> outcome;
  std::optional<Error> error;
};

Task<void> install(Ports* ports, Installing* installing, Fqdn domain, Material material,
                   std::string version) {
  const auto accepts = ports->accepts.find(installing->name);
  if (accepts != ports->accepts.end()) {
    const auto check = [&acceptance = accepts->second, &material] {
      return deploy::check_accepted(acceptance, material);
    };
    if (auto taken = co_await ports->offload->call(check); !taken) {
      installing->error = std::move(taken.error());
      co_return;
    }
  }
  auto* const target = ports->targets.at(installing->name);
  auto receipt =
      co_await target->install(std::move(domain), std::move(material), std::move(version));
  if (receipt) {
    installing->outcome = receipt->outcome;
  } else {
    installing->error = std::move(receipt.error());
  }
}

Task<void> clean_up(deploy::Target* target, deploy::Receipt receipt, Status* status) {
  *status = co_await target->clean_up(std::move(receipt));
}

}  // namespace

Task<Installations> install_on(Ports* ports, std::vector<TargetName> targets, Fqdn domain,
                               Material material, Serial serial) {
  std::vector<Installing> installing(targets.size());
  std::vector<Task<void>> tasks;
  tasks.reserve(targets.size());
  for (std::size_t i = 0; i < targets.size(); ++i) {
    installing[i].name = std::move(targets[i]);
    tasks.push_back(install(ports, &installing[i], domain, material, serial.text()));
  }
  co_await runtime::together(std::move(tasks));

  Installations all;
  std::map<TargetName, Error> errors;
  for (auto& one : installing) {
    all.outcomes[one.name] = one.outcome.value_or(Installed::failed);
    if (one.error) errors.emplace(one.name, std::move(*one.error));
  }
  all.failure = summary_of(std::move(errors), "install");
  co_return all;
}

Task<Status> clean_up_on(Ports* ports, std::vector<TargetName> targets, Fqdn domain,
                         Serial serial) {
  std::vector<Status> outcomes(targets.size());
  std::vector<Task<void>> tasks;
  tasks.reserve(targets.size());
  for (std::size_t i = 0; i < targets.size(); ++i) {
    deploy::Receipt receipt{.domain = domain, .version_key = serial.text()};
    tasks.push_back(clean_up(ports->targets.at(targets[i]), std::move(receipt), &outcomes[i]));
  }
  co_await runtime::together(std::move(tasks));

  std::map<TargetName, Error> errors;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (!outcomes[i]) errors.emplace(targets[i], std::move(outcomes[i].error()));
  }
  auto failure = summary_of(std::move(errors), "clean up");
  if (failure) co_return fail(std::move(*failure));
  co_return Status();
}

}  // namespace certherd::fleet
