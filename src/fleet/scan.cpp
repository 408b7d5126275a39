#include "fleet/scan.hpp"

#include <fmt/ranges.h>

#include <algorithm>

#include "policy/split.hpp"
#include "runtime/together.hpp"

namespace certherd::fleet {
namespace {

using policy::Drift;
using policy::EndpointStatus;

constexpr std::size_t names_shown = 5;

std::string names_text(const std::vector<std::string>& names) {
  if (names.empty()) return "the certificate names no host";
  const std::size_t shown = std::min(names.size(), names_shown);
  auto text = fmt::format("the certificate is for {}",
                          fmt::join(names.begin(), names.begin() + static_cast<long>(shown), ", "));
  if (shown < names.size()) text += fmt::format(" and {} more", names.size() - shown);
  return text;
}

/// One fault in words; nothing for what is only a warning.
std::string fault_text(EndpointStatus fault, const probe::Observation& seen) {
  switch (fault) {
    case EndpointStatus::expired:
      return "expired at " + format_time(seen.leaf.not_after);
    case EndpointStatus::not_yet_valid:
      return "not valid before " + format_time(seen.leaf.not_before);
    case EndpointStatus::name_mismatch:
      return names_text(seen.leaf.names);
    case EndpointStatus::untrusted:
      return "not trusted: " + seen.trust->detail;
    case EndpointStatus::ok:
    case EndpointStatus::expiring:
    case EndpointStatus::unreachable:
      break;
  }
  return {};
}

std::optional<policy::Sighting> sighting_of(const Finding& finding) {
  if (!finding.leaf) return std::nullopt;
  return policy::Sighting{.serial = finding.leaf->serial,
                          .fingerprint = finding.leaf->fingerprint,
                          .issuer = finding.leaf->issuer,
                          .not_after = finding.leaf->not_after};
}

/// The present certificate is on its way to the targets, or not seen there yet.
bool is_rolling_out(const store::DomainRow& row) {
  return (row.working == Step::install || row.working == Step::prove) && !row.domain.last_error;
}

}  // namespace

bool Finding::good() const {
  return status == EndpointStatus::ok && std::ranges::all_of(drift, [](const Drift& one) {
           return one.kind == Drift::Kind::rolling_out;
         });
}

Task<Result<std::vector<Finding>>> Scan::run(std::vector<ScanSubject> subjects,
                                             std::vector<Row> rows) {
  for (auto& row : rows) {
    const auto& name = row->domain.name;
    rows_.insert_or_assign(name, std::move(row));
  }
  findings_.resize(subjects.size());
  for (std::size_t i = 0; i < subjects.size(); ++i) {
    findings_[i].endpoint = subjects[i].endpoint;
    findings_[i].asked = std::move(subjects[i].endpoint);
    findings_[i].domain = std::move(subjects[i].domain);
  }
  progress_.total = findings_.size();

  if (options_.all_addresses) {
    addresses_.resize(findings_.size());
    auto finding = each(&Scan::find_addresses);
    co_await std::move(finding);
    spread();
  }
  auto looking = each(&Scan::look);
  co_await std::move(looking);

  if (auto told = co_await tell_drift(); !told) co_return fail(std::move(told.error()));
  co_return std::move(findings_);
}

Task<void> Scan::each(Act act) {
  next_ = 0;
  const auto workers = std::min(options_.at_once, findings_.size());
  std::vector<Task<void>> working;
  working.reserve(workers);
  for (std::size_t i = 0; i < workers; ++i) working.push_back(work(act));
  co_await runtime::together(std::move(working));
}

Task<void> Scan::work(Act act) {
  while (next_ < findings_.size()) {
    const auto index = next_++;
    co_await (this->*act)(index);
  }
}

Task<void> Scan::find_addresses(std::size_t index) {
  const auto endpoint = findings_[index].endpoint;
  const auto deadline = ports_.clock().now() + options_.timeout;
  auto found = co_await ports_.probe->addresses(endpoint, deadline);
  if (found) {
    addresses_[index] = std::move(*found);
  } else {
    findings_[index].error = std::move(found.error());
  }
}

/// Makes of each finding one for each address. One without addresses stays, for its error.
void Scan::spread() {
  std::vector<Finding> all;
  for (std::size_t i = 0; i < findings_.size(); ++i) {
    for (auto& address : addresses_[i]) {
      all.push_back(findings_[i]);
      all.back().endpoint.address = std::move(address);
    }
    if (addresses_[i].empty()) all.push_back(std::move(findings_[i]));
  }
  findings_ = std::move(all);
  progress_.total = findings_.size();
}

Task<void> Scan::look(std::size_t index) {
  if (!findings_[index].error) {
    const auto endpoint = findings_[index].endpoint;
    auto seen = co_await ports_.probe->look(endpoint, ports_.clock().now() + options_.timeout);
    if (seen) {
      findings_[index] = judged(std::move(findings_[index]), std::move(*seen));
    } else {
      findings_[index].error = std::move(seen.error());
    }
  }
  const auto& finding = findings_[index];
  progress_.looked_at += 1;
  if (finding.status != EndpointStatus::ok) progress_.not_ok += 1;

  if (before(finding) != nullptr) co_await ask_vault(rows_.at(*finding.domain));
}

Task<void> Scan::ask_vault(Row row) {
  const auto& domain = row->domain.name;
  // A domain with several endpoints has its vault asked once.
  if (!kept_.emplace(domain, std::nullopt).second) co_return;
  const auto& name = row->certificate->vault_name;
  const auto vault = ports_.vaults.find(name);
  if (vault == ports_.vaults.end()) {
    kept_.insert_or_assign(
        domain, fail(Error::Kind::misconfigured, "choose vault",
                     fmt::format("there is no [vault.{}] in the config any more", name)));
    co_return;
  }
  auto described = co_await vault->second->describe(domain);
  Kept kept;
  if (!described) {
    kept = fail(std::move(described.error()));
  } else if (*described) {
    kept = std::move((*described)->version_key);
  }
  kept_.insert_or_assign(domain, std::move(kept));
}

// A certificate with a hundred names is often served at hundreds of places.
std::size_t Scan::domains_on(const crypto::CertificateInfo& leaf) {
  const auto [known, is_new] = domains_.emplace(leaf.fingerprint, 0);
  if (is_new) known->second = policy::domains_behind(leaf.names).size();
  return known->second;
}

Finding Scan::judged(Finding finding, probe::Observation seen) {
  const policy::ServedCertificate served{.not_before = seen.leaf.not_before,
                                         .not_after = seen.leaf.not_after,
                                         .name_matches = seen.name_matches,
                                         .trusted = !seen.trust.has_value()};
  const auto faults = policy::faults_of(served, options_.warn_before, ports_.clock().now());
  finding.status = faults.empty() ? EndpointStatus::ok : faults.front();
  std::vector<std::string> texts;
  for (const auto fault : faults) {
    if (auto text = fault_text(fault, seen); !text.empty()) texts.push_back(std::move(text));
  }
  if (!texts.empty()) {
    finding.error = fail(Error::Kind::rejected, "judge " + finding.endpoint.text(),
                         fmt::format("{}", fmt::join(texts, "; ")))
                        .value();
  }
  finding.address = std::move(seen.address);
  if (options_.count_domains) finding.domains = domains_on(seen.leaf);
  finding.leaf = std::move(seen.leaf);
  finding.above = std::move(seen.above);
  return finding;
}

const Certificate* Scan::before(const Finding& finding) const {
  if (!finding.domain) return nullptr;
  const auto row = rows_.find(*finding.domain);
  if (row == rows_.end() || !row->second->certificate) return nullptr;
  return &*row->second->certificate;
}

bool Scan::differs(const Finding& finding) const {
  const auto* certificate = before(finding);
  if (certificate == nullptr) return false;
  const policy::Known known{.current = *certificate, .former = {}, .rolling_out = false};
  return !policy::drift_of(sighting_of(finding), known).empty() ||
         policy::vault_drift(kept_.at(*finding.domain), *certificate);
}

// An executor may have renewed a domain while we looked. So what differs from the inventory as it
// was before is held against the one of now.
Task<Status> Scan::tell_drift() {
  std::vector<Finding*> differing;
  for (auto& finding : findings_) {
    if (!differs(finding)) continue;
    differing.push_back(&finding);
    issued_.try_emplace(*finding.domain);
  }
  if (differing.empty()) co_return Status{};
  std::vector<DomainId> domains;
  domains.reserve(issued_.size());
  for (const auto& [name, certificates] : issued_) {
    domains.push_back(rows_.at(name)->domain.id);
  }
  auto issued = co_await ports_.store->certificates_of(std::move(domains));
  if (!issued) co_return fail(std::move(issued.error()));
  for (auto& certificate : *issued) {
    issued_.at(certificate.domain).push_back(std::move(certificate));
  }
  for (auto* finding : differing) {
    auto row = co_await ports_.store->domain(*finding->domain);
    if (!row && row.error().kind == Error::Kind::not_found) continue;  // removed meanwhile
    if (!row) co_return fail(std::move(row.error()));
    if (row->certificate) compare(*finding, *row);
  }
  co_return Status{};
}

void Scan::compare(Finding& finding, const store::DomainRow& row) const {
  const auto& before = *this->before(finding);
  const auto& now = *row.certificate;
  const policy::Known known{
      .current = now,
      .former = issued_.at(*finding.domain),
      .rolling_out = is_rolling_out(row) || now.fingerprint != before.fingerprint};
  finding.drift = policy::drift_of(sighting_of(finding), known);

  const auto& kept = kept_.at(*finding.domain);
  if (row.working == Step::store || !policy::vault_drift(kept, before)) return;
  if (auto drift = policy::vault_drift(kept, now)) finding.drift.push_back(std::move(*drift));
}

std::vector<Scan::Row> shared_rows(std::vector<store::DomainRow> rows) {
  std::vector<Scan::Row> shared;
  shared.reserve(rows.size());
  for (auto& row : rows) {
    shared.push_back(std::make_shared<const store::DomainRow>(std::move(row)));
  }
  return shared;
}

ScanPlaces scan_places(const std::vector<store::DomainRow>& rows, const Ports& ports) {
  ScanPlaces places;
  for (const auto& row : rows) {
    auto endpoints = endpoints_of(row.domain, ports);
    if (endpoints.empty()) places.nowhere.push_back(row.domain.name);
    for (auto& endpoint : endpoints) {
      places.subjects.push_back({.endpoint = std::move(endpoint), .domain = row.domain.name});
    }
  }
  return places;
}

std::vector<ScanSubject> subjects_at(std::vector<Endpoint> endpoints,
                                     const std::vector<store::DomainRow>& rows) {
  std::map<Fqdn, Fqdn> owners;   // of each name on a certificate; the first by name wins
  std::map<Fqdn, Fqdn> parents;  // the same for wildcards, by what they stand before
  for (const auto& row : rows) {
    for (const auto& name : row.domain.all_names()) {
      auto& names = name.is_wildcard() ? parents : owners;
      names.emplace(name.without_wildcard(), row.domain.name);
    }
  }
  const auto owner_of = [&](const Fqdn& host) -> std::optional<Fqdn> {
    if (const auto own = owners.find(host); own != owners.end()) return own->second;
    const auto above = parents.find(host.parent());
    return above == parents.end() ? std::nullopt : std::optional(above->second);
  };
  std::vector<ScanSubject> subjects;
  subjects.reserve(endpoints.size());
  for (auto& endpoint : endpoints) {
    auto domain = owner_of(endpoint.host);
    subjects.push_back({.endpoint = std::move(endpoint), .domain = std::move(domain)});
  }
  return subjects;
}

}  // namespace certherd::fleet
