#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "crypto/x509.hpp"
#include "fleet/ports.hpp"
#include "policy/drift.hpp"
#include "policy/endpoint_status.hpp"
#include "store/store.hpp"

namespace certherd::fleet {

/// An endpoint to be looked at, and the domain of the inventory that it serves, if any.
struct ScanSubject {
  Endpoint endpoint;
  std::optional<Fqdn> domain;
};

/// What one endpoint was seen to serve, and how that is judged.
struct Finding {
  Endpoint endpoint;  ///< at one address of `asked`, where all of them are looked at
  Endpoint asked;     ///< of the subject
  std::optional<Fqdn> domain;
  policy::EndpointStatus status = policy::EndpointStatus::unreachable;
  std::string address;                          ///< what was really asked; empty if unreachable
  std::optional<crypto::CertificateInfo> leaf;  ///< none if unreachable
  std::vector<crypto::CertificateInfo> above;   ///< what was sent behind it
  /// policy::domains_behind() of the leaf's names; 0 where they are not counted.
  std::size_t domains = 0;
  std::optional<Error> error;  ///< what is wrong; none for ok and expiring
  std::vector<policy::Drift> drift;

  /// Nothing that anybody would have to see to: status ok, and no drift but rolling_out.
  bool good() const;
};

/// How far a scan is.
struct ScanProgress {
  std::size_t total = 0;  ///< grows while addresses are looked up
  std::size_t looked_at = 0;
  std::size_t not_ok = 0;  ///< by status
};

/// Reads what many endpoints serve, and holds it against the store and the vaults. Changes
/// nothing anywhere, and so works beside a running executor. Used once, on the loop; of the ports
/// it needs loop, store, probe and vaults.
class Scan {
 public:
  struct Options {
    Duration timeout = std::chrono::seconds(10);  ///< for each endpoint
    Duration warn_before = std::chrono::days(14);
    /// A connection holds a descriptor, of which a process commonly has 1024.
    std::size_t at_once = 256;
    bool all_addresses = false;  ///< of each endpoint; else the first one that answers
    bool count_domains = true;   ///< see Finding::domains
  };

  Scan(Ports& ports, Options options) : ports_(ports), options_(options) {}

  using Row = std::shared_ptr<const store::DomainRow>;

  /// The findings in the order of the subjects, and of their addresses. `rows` is the inventory as
  /// it was read for them. Errors: the store's. What an endpoint or a vault does wrong is a
  /// finding.
  Task<Result<std::vector<Finding>>> run(std::vector<ScanSubject> subjects, std::vector<Row> rows);

  const ScanProgress& progress() const { return progress_; }

 private:
  /// What a vault says that it holds.
  using Kept = Result<std::optional<std::string>>;

  /// What is done with each finding, by its index.
  using Act = Task<void> (Scan::*)(std::size_t);

  Task<void> each(Act act);
  Task<void> work(Act act);
  Task<void> find_addresses(std::size_t index);
  void spread();
  Task<void> look(std::size_t index);
  Finding judged(Finding finding, probe::Observation seen);
  std::size_t domains_on(const crypto::CertificateInfo& leaf);
  Task<void> ask_vault(Row row);

  /// The certificate that its domain had before the scan; null without one.
  const Certificate* before(const Finding& finding) const;
  bool differs(const Finding& finding) const;
  Task<Status> tell_drift();
  void compare(Finding& finding, const store::DomainRow& row) const;

  Ports& ports_;
  Options options_;
  std::vector<Finding> findings_;
  std::vector<std::vector<std::string>> addresses_;  ///< of each, where all are looked at
  std::size_t next_ = 0;
  std::map<Fqdn, Row> rows_;
  std::map<Fqdn, Kept> kept_;
  std::map<Fingerprint, std::size_t> domains_;       ///< of each certificate that was seen
  std::map<Fqdn, std::vector<Certificate>> issued_;  ///< for the domains where something differs
  ScanProgress progress_;
};

/// Rows as a scan takes them.
std::vector<Scan::Row> shared_rows(std::vector<store::DomainRow> rows);

/// Where domains are looked at by a scan; in `nowhere`, those that name no place.
struct ScanPlaces {
  std::vector<ScanSubject> subjects;
  std::vector<Fqdn> nowhere;
};

/// By the targets of the domains and what `ports` say of them.
ScanPlaces scan_places(const std::vector<store::DomainRow>& rows, const Ports& ports);

/// The given endpoints, each with the domain whose names cover its host.
std::vector<ScanSubject> subjects_at(std::vector<Endpoint> endpoints,
                                     const std::vector<store::DomainRow>& rows);

}  // namespace certherd::fleet
