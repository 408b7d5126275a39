#include "fleet/deployment.hpp"

#include <algorithm>
#include <set>

#include "fleet/installation.hpp"
#include "fleet/kept.hpp"
#include "fleet/proof.hpp"

namespace certherd::fleet {
namespace {

Status check_usable(const Domain& domain, const std::optional<Certificate>& certificate) {
  if (!certificate) {
    return fail(Error::Kind::not_found, "deploy",
                fmt::format("there is no certificate yet: run certherd issue {}", domain.name));
  }
  if (certificate->revocation_reason || certificate->revoked_at) {
    const auto reason = certificate->revocation_reason.value_or(RevocationReason::unspecified);
    return fail(Error::Kind::rejected, "deploy",
                fmt::format("certificate {} was revoked ({}): run certherd issue {}",
                            certificate->serial, to_string(reason), domain.name));
  }
  return {};
}

Result<std::vector<TargetName>> chosen(const Places& places, const TargetName& wanted) {
  if (wanted.empty()) return places.targets;
  if (std::ranges::find(places.targets, wanted) != places.targets.end()) return std::vector{wanted};
  std::string known;
  for (const auto& target : places.targets) known += " " + target.text();
  return fail(Error::Kind::not_found, "deploy",
              fmt::format("{} is no target of the domain; it has{}", wanted,
                          known.empty() ? " none" : ":" + known));
}

}  // namespace

Task<Result<Certificate>> Deployment::install(WorkRequest request) {
  auto row = co_await ports_.store->domain(request.domain);
  if (!row) co_return fail(std::move(row.error()));
  const auto& domain = row->domain;
  if (auto usable = check_usable(domain, row->certificate); !usable) {
    co_return fail(std::move(usable.error()));
  }
  auto certificate = std::move(*row->certificate);
  auto places = places_of(domain, ports_);
  if (!places) co_return fail(std::move(places.error()));
  auto targets = chosen(*places, request.arguments.target);
  if (!targets) co_return fail(std::move(targets.error()));
  const auto vault = ports_.vaults.find(certificate.vault_name);
  if (vault == ports_.vaults.end()) {
    co_return fail(Error::Kind::misconfigured, "choose vault",
                   fmt::format("the certificate is kept in [vault.{}], which is not in the config",
                               certificate.vault_name));
  }
  auto material = co_await load_kept(ports_.pki, vault->second, ports_.store, certificate);
  if (!material) co_return fail(std::move(material.error()).during("deploy"));

  auto installed = co_await install_on(&ports_, std::move(*targets), domain.name,
                                       std::move(*material), certificate.serial);
  store::Changes changes;
  for (const auto& [name, outcome] : installed.outcomes) {
    certificate.targets[name] = outcome;
    if (outcome == Installed::failed) continue;
    changes.events.push_back(
        event(domain.name, "certificate.installed",
              {{"serial", certificate.serial.text()}, {"target", name.text()}}));
  }
  changes.amended = certificate;
  auto written = co_await ports_.store->amend(domain.id, std::move(changes));
  if (!written) co_return fail(std::move(written.error()));
  if (installed.failure) co_return fail(std::move(*installed.failure));
  co_return certificate;
}

Task<Result<Certificate>> Deployment::prove(Certificate certificate) {
  auto row = co_await ports_.store->domain(certificate.domain);
  if (!row) co_return fail(std::move(row.error()));
  // A newer one has come meanwhile, and its issuance sees to its proof.
  const bool replaced = !row->certificate || row->certificate->serial != certificate.serial;
  if (replaced) co_return row->certificate.value_or(std::move(certificate));
  auto places = places_of(row->domain, ports_);
  if (!places) co_return fail(std::move(places.error()));
  if (places->endpoints.empty()) co_return certificate;

  const auto unproven = co_await who_does_not_serve(&ports_, places->endpoints, certificate.serial);
  if (!unproven.empty()) {
    co_return fail(Error::Kind::deadline, "prove",
                   fmt::format("certificate {} is installed but not served: {}", certificate.serial,
                               unproven));
  }
  certificate.served = true;
  store::Changes changes;
  changes.amended = certificate;
  changes.events = {
      event(certificate.domain, "certificate.served", {{"serial", certificate.serial.text()}})};
  auto written = co_await ports_.store->amend(certificate.domain_id, std::move(changes));
  if (!written) co_return fail(std::move(written.error()));
  co_return certificate;
}

Task<Status> Deployment::clean_up(Certificate certificate) {
  std::vector<TargetName> targets;
  for (const auto& [name, outcome] : certificate.targets) {
    if (ports_.targets.contains(name)) targets.push_back(name);
  }
  co_return co_await clean_up_on(&ports_, std::move(targets), certificate.domain,
                                 certificate.serial);
}

Task<Status> Deployment::give_up(Certificate certificate) {
  certificate.served = false;
  store::Changes changes;
  changes.amended = certificate;
  co_return co_await ports_.store->amend(certificate.domain_id, std::move(changes));
}

Task<Result<std::optional<Certificate>>> Deployment::retire(WorkRequest request) {
  auto row = co_await ports_.store->domain(request.domain);
  if (!row) co_return fail(std::move(row.error()));
  const auto& domain = row->domain;
  if (auto ended = co_await end_issuance(domain); !ended) {
    co_return fail(std::move(ended.error()));
  }
  auto& certificate = row->certificate;
  const auto& own = targets_of(domain, ports_.defaults);
  std::set<TargetName> names(own.begin(), own.end());
  // Also those that were taken from its list since.
  if (certificate) {
    for (const auto& [name, outcome] : certificate->targets) names.insert(name);
  }
  store::Changes changes;
  Error failures;
  for (const auto& name : names) {
    const auto target = ports_.targets.find(name);
    if (target == ports_.targets.end()) continue;
    auto installed = co_await target->second->observe(domain.name);
    Status gone;
    if (!installed) {
      gone = fail(std::move(installed.error()));
    } else if (*installed || certificate) {
      // One that stands there and was never activated is not observed, and goes all the same.
      deploy::Receipt receipt;
      receipt.domain = domain.name;
      receipt.version_key = *installed ? (*installed)->version_key : certificate->serial.text();
      receipt.names = certificate ? certificate->names : domain.all_names();
      gone = co_await target->second->retire(std::move(receipt));
    }
    if (!gone) {
      failures.kind = gone.error().kind;
      failures.causes.push_back(std::move(gone.error()).during(fmt::format("[target.{}]", name)));
      continue;
    }
    if (certificate) certificate->targets.erase(name);
    if (*installed) {
      changes.events.push_back(
          event(domain.name, "certificate.retired",
                {{"serial", (*installed)->version_key}, {"target", name.text()}}));
    }
  }
  if (certificate) {
    certificate->served.reset();
    changes.amended = certificate;
  }
  auto written = co_await ports_.store->amend(domain.id, std::move(changes));
  if (!written) co_return fail(std::move(written.error()));
  if (!failures.causes.empty()) {
    failures.op = "retire";
    failures.detail = "not every target has let go of it";
    co_return fail(std::move(failures));
  }
  co_return std::move(certificate);
}

Task<Status> Deployment::end_issuance(Domain domain) {
  auto active = co_await ports_.store->active_issuance(domain.id);
  if (!active) co_return fail(std::move(active.error()));
  if (!*active) co_return Status{};
  auto& issuance = **active;
  store::Changes changes;
  changes.events = {event(domain.name, "issuance.failed",
                          {{"step", std::string(to_string(issuance.step))},
                           {"error", "the domain is being taken off its targets"}})};
  issuance.step = Step::failed;
  issuance.sealed_key.clear();
  auto ended = co_await ports_.store->commit(std::move(issuance), std::move(changes));
  if (!ended) co_return fail(std::move(ended.error()));
  co_return Status{};
}

Event Deployment::event(const Fqdn& domain, std::string name,
                        std::map<std::string, std::string> detail) const {
  return {.at = now(), .domain = domain, .event = std::move(name), .detail = std::move(detail)};
}

}  // namespace certherd::fleet
