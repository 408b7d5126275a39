#pragma once

#include <boost/json/value.hpp>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "app/app.hpp"
#include "app/doctor/finding.hpp"
#include "app/doctor/judge.hpp"
#include "app/doctor/stand_in.hpp"
#include "dns/inspector.hpp"
#include "dns/shared_lookups.hpp"
#include "model/domain.hpp"
#include "runtime/random.hpp"

namespace certherd::app {

/// Looks at everything that an issuance will need, before an order is spent. Changes nothing,
/// unless told to try writing; works beside a running executor. Used on the loop, once.
class Doctor {
 public:
  struct Options {
    bool write_test = false;     ///< write a TXT value at each challenge name, see it, remove it
    bool every_section = false;  ///< look at sections of the config that no domain names, too
    std::size_t at_once = 64;    ///< domains under examination at one time
  };

  struct Progress {
    std::size_t total = 0;  ///< domains
    std::size_t finished = 0;
    std::size_t failed = 0;
  };

  Doctor(App& app, Options options);
  ~Doctor();

  /// Sections of the config first, then the domains in their order. After interrupt() what was
  /// looked at until then. Errors: misconfigured, the store's; conflict when values shall be
  /// written and another process executes for this store.
  Task<Result<std::vector<Finding>>> examine(std::vector<Domain> domains);

  /// Begins with no further domain.
  void interrupt() { interrupted_ = true; }

  Progress progress() const { return progress_; }

 private:
  struct Ca;
  struct Patient;

  Task<Result<std::vector<Finding>>> examine_all();
  Task<Status> read_ledger();
  void gather_sections();
  Task<void> examine_sections();
  Task<void> examine_cas();
  Task<void> examine_ca(CaName ca);
  Task<void> examine_vault(VaultName vault);
  Task<void> examine_target(TargetName target);
  void note_responders(const Status& begun);
  Task<void> examine_host(DnsName dns);
  Task<void> work_through();
  Task<void> examine_patient(Patient* patient);
  Task<void> examine_name(Patient* patient, Fqdn name);
  Task<void> examine_caa(Patient* patient, Fqdn name);
  Task<void> examine_record(Patient* patient, Fqdn name, dns::ChallengePath path);
  Task<void> examine_values(Patient* patient, Fqdn name, dns::ChallengePath path);
  Task<void> examine_at_responder(Patient* patient, Fqdn name, dns::ChallengePath path);
  Task<void> examine_at_host(Patient* patient, Fqdn name, dns::ChallengePath path);
  Task<bool> is_in_zone_of(Domain domain, Fqdn name, dns::ChallengePath path);
  Task<Result<std::vector<Fqdn>>> assigned_servers(std::pair<DnsName, dns::Zone> zone);
  Task<Verdict> try_writing(DnsName section, dns::Zone zone, dns::ChallengePath path);
  Task<void> clean_up();

  using Section = std::pair<std::string, std::string>;  ///< check and subject
  void note(std::string check, std::string subject, Verdict verdict);

  App& app_;
  Options options_;
  StandIn stand_in_;
  runtime::SystemRandom random_;
  std::unique_ptr<dns::Inspector> inspector_;
  fleet::Ports known_;  ///< only the names of what is configured
  std::map<Section, Verdict> sections_;
  std::map<CaName, CaaView> cas_;
  dns::SharedLookups<std::pair<DnsName, dns::Zone>, std::vector<Fqdn>> assigned_;
  std::map<Fqdn, std::vector<TxtValue>> ours_;   ///< the ledger, by record
  std::map<Fqdn, std::vector<TxtValue>> stale_;  ///< of it, what no issuance needs
  std::vector<Patient> patients_;
  std::size_t next_ = 0;
  bool interrupted_ = false;
  Progress progress_;
};

/// The document that `doctor --json` prints; docs/output.md describes it.
boost::json::object to_json(const std::vector<Finding>& findings);

/// How many domains came to each status, by the worst of their findings.
std::map<Verdict::Status, std::size_t> count_domains(const std::vector<Finding>& findings);

}  // namespace certherd::app
