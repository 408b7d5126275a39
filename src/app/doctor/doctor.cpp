#include "app/doctor/doctor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <utility>

#include "app/inventory_check.hpp"
#include "dns/responder/responder.hpp"
#include "runtime/together.hpp"

namespace certherd::app {
namespace {

using namespace std::chrono_literals;
namespace json = boost::json;

constexpr Duration shortest_look = 250ms;
constexpr Duration longest_look = 4s;

std::string section(std::string_view kind, std::string_view name) {
  return fmt::format("{}.{}", kind, name);
}

/// The names less their wildcards, each once: what a challenge value stands for.
std::vector<Fqdn> challenged_names(const Domain& domain) {
  std::vector<Fqdn> names;
  for (const auto& name : domain.all_names()) names.push_back(name.without_wildcard());
  std::ranges::sort(names);
  const auto repeated = std::ranges::unique(names);
  names.erase(repeated.begin(), repeated.end());
  return names;
}

/// What the CA's TLS certificate says of this machine's clock, where it was refused for its dates.
bool hints_at_clock(const Error& error) {
  return error.detail.contains("not yet valid") || error.detail.contains("has expired");
}

std::vector<TxtValue> at(const std::map<Fqdn, std::vector<TxtValue>>& values, const Fqdn& record) {
  const auto found = values.find(record);
  return found == values.end() ? std::vector<TxtValue>() : found->second;
}

}  // namespace

/// One domain under examination.
struct Doctor::Patient {
  Domain domain;
  fleet::Choices choices;
  std::vector<Finding> findings;

  void note(std::string check, std::string subject, Verdict verdict) {
    findings.push_back({.domain = domain.name,
                        .check = std::move(check),
                        .subject = std::move(subject),
                        .verdict = std::move(verdict)});
  }
  bool failed() const {
    return std::ranges::any_of(findings, [](const Finding& finding) {
      return finding.verdict.status == Verdict::Status::failed;
    });
  }
};

Doctor::Doctor(App& app, Options options)
    : app_(app),
      options_(options),
      stand_in_(app),
      assigned_(app.loop(), [this](auto zone) { return assigned_servers(std::move(zone)); }) {
  const auto& config = app.config();
  known_.defaults = config.defaults;
  for (const auto& [name, ca] : config.cas) known_.cas[name];
  for (const auto& name : config.dns_names()) known_.dns[name];
  for (const auto& name : config.vault_names()) known_.vaults[name] = nullptr;
  for (const auto& [name, target] : config.targets) {
    known_.targets[name] = nullptr;
    known_.accepts[name] = target->accepts();
    known_.edges[name] = target->edges();
  }
}

Doctor::~Doctor() = default;

Task<Result<std::vector<Finding>>> Doctor::examine(std::vector<Domain> domains) {
  patients_.reserve(domains.size());
  for (auto& domain : domains) {
    Patient patient;
    patient.domain = std::move(domain);
    patients_.push_back(std::move(patient));
  }
  progress_.total = patients_.size();
  auto findings = co_await examine_all();
  co_await stand_in_.end();
  co_await app_.stop();
  co_return findings;
}

Task<Result<std::vector<Finding>>> Doctor::examine_all() {
  auto inspector = app_.make_inspector();
  if (!inspector) co_return fail(std::move(inspector.error()));
  inspector_ = std::move(*inspector);
  if (auto prepared = app_.prepare_checks(); !prepared) co_return fail(std::move(prepared.error()));
  if (auto read = co_await read_ledger(); !read) co_return fail(std::move(read.error()));

  const auto begun = co_await stand_in_.begin(options_.write_test);
  if (options_.write_test && !stand_in_.executor().empty()) {
    co_return fail(Error::Kind::conflict, "write test",
                   fmt::format("{} executes for this store and publishes its challenge values: "
                               "try again when it has ended, or leave out --write-test",
                               stand_in_.executor()));
  }
  gather_sections();
  note_responders(begun);
  co_await examine_sections();

  std::vector<Task<void>> workers;
  const auto count = std::min(options_.at_once, patients_.size());
  workers.reserve(count);
  for (std::size_t i = 0; i < count; ++i) workers.push_back(work_through());
  co_await runtime::together(std::move(workers));
  co_await clean_up();

  std::vector<Finding> findings;
  findings.reserve(sections_.size() + patients_.size() * 4);
  for (auto& [name, verdict] : sections_) {
    findings.push_back(
        {.domain = {}, .check = name.first, .subject = name.second, .verdict = std::move(verdict)});
  }
  for (auto& patient : patients_) {
    std::ranges::move(patient.findings, std::back_inserter(findings));
  }
  co_return findings;
}

Task<Status> Doctor::read_ledger() {
  for (const auto& name : app_.config().dns_names()) {
    auto entries = co_await app_.store().entries(name);
    if (!entries) co_return fail(std::move(entries.error()));
    for (auto& entry : *entries) ours_[entry.name].push_back(std::move(entry.value));
    auto unneeded = co_await app_.store().unneeded(name);
    if (!unneeded) co_return fail(std::move(unneeded.error()));
    for (auto& entry : *unneeded) stale_[entry.name].push_back(std::move(entry.value));
  }
  co_return Status();
}

void Doctor::note(std::string check, std::string subject, Verdict verdict) {
  sections_.insert_or_assign({std::move(check), std::move(subject)}, std::move(verdict));
}

/// Lists what is to be examined besides the domains; the verdicts follow.
void Doctor::gather_sections() {
  const auto use = [this](const fleet::Choices& choices) {
    note("ca", section("ca", choices.ca.text()), {});
    note("dns", section("dns", choices.dns.text()), {});
    note("vault", section("vault", choices.vault.text()), {});
    for (const auto& target : choices.targets) note("target", section("target", target.text()), {});
    cas_[choices.ca].ca = choices.ca;
  };
  for (auto& patient : patients_) {
    auto choices = fleet::choices_of(patient.domain, known_);
    if (choices) {
      use(*choices);
      patient.choices = std::move(*choices);
    } else {
      patient.note("config", patient.domain.name.text(), judge_error(choices.error()));
    }
  }
  if (!options_.every_section) return;
  const auto& config = app_.config();
  for (const auto& [name, ca] : config.cas) cas_[name].ca = name;
  for (const auto& [name, ca] : config.cas) note("ca", section("ca", name.text()), {});
  for (const auto& name : config.dns_names()) note("dns", section("dns", name.text()), {});
  for (const auto& name : config.vault_names()) note("vault", section("vault", name.text()), {});
  for (const auto& [name, target] : config.targets) {
    note("target", section("target", name.text()), {});
  }
}

void Doctor::note_responders(const Status& begun) {
  for (const auto& [dns, options] : app_.config().responders) {
    const auto noted = sections_.find({"dns", section("dns", dns.text())});
    if (noted == sections_.end()) continue;
    auto& verdict = noted->second;
    if (!begun) {
      verdict = judge_error(begun.error());
      verdict.remedy =
          "a responder answers only while certherd works, and it cannot begin to: "
          "free its address, or name another one under `listen`";
    } else if (stand_in_.answers()) {
      verdict.finding = "answers for as long as this check takes; otherwise while certherd works";
    } else {
      verdict.finding = fmt::format("{} executes for this store and answers", stand_in_.executor());
    }
  }
}

Task<void> Doctor::examine_sections() {
  std::vector<Task<void>> tasks;
  tasks.reserve(1 + app_.config().route53.size() + app_.ports().vaults.size() +
                app_.ports().targets.size());
  tasks.push_back(examine_cas());
  for (const auto& [dns, options] : app_.config().route53) {
    if (sections_.contains({"dns", section("dns", dns.text())})) tasks.push_back(examine_host(dns));
  }
  for (const auto& [vault, port] : app_.ports().vaults) {
    if (sections_.contains({"vault", section("vault", vault.text())})) {
      tasks.push_back(examine_vault(vault));
    }
  }
  for (const auto& [target, port] : app_.ports().targets) {
    if (sections_.contains({"target", section("target", target.text())})) {
      tasks.push_back(examine_target(target));
    }
  }
  co_await runtime::together(std::move(tasks));
}

Task<void> Doctor::examine_cas() {
  for (const auto& [ca, view] : cas_) co_await examine_ca(ca);
}

Task<void> Doctor::examine_ca(CaName ca) {
  const auto subject = section("ca", ca.text());
  auto account = co_await app_.store().account(ca);
  if (account && *account) cas_[ca].account = (*account)->url.text();
  const Time sent = app_.loop().clock().now();
  auto directory = co_await app_.accounts().directory(ca);
  const Time received = app_.loop().clock().now();
  if (!directory) {
    if (hints_at_clock(directory.error())) {
      note("clock", subject,
           {.status = Verdict::Status::warning,
            .finding = fmt::format("this machine says {}, and by that the CA's TLS certificate is "
                                   "not valid",
                                   format_time(received)),
            .remedy = "if that time is wrong, set the clock, best by NTP"});
    }
    note("ca", subject, judge_error(directory.error()));
    co_return;
  }
  if (directory->date) note("clock", subject, judge_clock(sent, received, *directory->date));
  const auto& config = app_.config().cas.at(ca);
  note("ca", subject,
       account ? join({judge_account(ca, config, *directory, *account),
                       judge_profile(ca, config, *directory)})
               : judge_error(account.error()));
  cas_[ca].directory = std::move(*directory);
}

Task<void> Doctor::examine_host(DnsName dns) {
  const auto checked = co_await app_.ports().dns.at(dns).provider->check();
  note("dns", section("dns", dns.text()),
       checked ? Verdict{.status = {}, .finding = "can be called", .remedy = {}}
               : judge_error(checked.error()));
}

Task<void> Doctor::examine_vault(VaultName vault) {
  const auto checked = co_await app_.ports().vaults.at(vault)->check();
  note("vault", section("vault", vault.text()),
       checked ? Verdict{.status = {}, .finding = "can be written to", .remedy = {}}
               : judge_error(checked.error()));
}

Task<void> Doctor::examine_target(TargetName target) {
  const auto checked = co_await app_.ports().targets.at(target)->check();
  note("target", section("target", target.text()),
       checked ? Verdict{.status = {}, .finding = "can be installed to", .remedy = {}}
               : judge_error(checked.error()));
}

Task<void> Doctor::work_through() {
  while (next_ < patients_.size() && !interrupted_) {
    auto& patient = patients_[next_++];
    co_await examine_patient(&patient);
    progress_.finished += 1;
    if (patient.failed()) progress_.failed += 1;
  }
}

Task<void> Doctor::examine_patient(Patient* patient) {
  if (!patient->findings.empty()) co_return;  // it names what is not configured
  const auto& choices = patient->choices;
  std::vector<Section> used = {{"ca", section("ca", choices.ca.text())},
                               {"dns", section("dns", choices.dns.text())},
                               {"vault", section("vault", choices.vault.text())}};
  for (const auto& target : choices.targets) {
    used.emplace_back("target", section("target", target.text()));
  }
  for (const auto& name : used) {
    const auto& verdict = sections_.at(name);
    if (verdict.status == Verdict::Status::failed) patient->note(name.first, name.second, verdict);
  }
  std::vector<Verdict> doubts;
  for (auto& doubt : doubts_about(app_.config(), patient->domain)) {
    doubts.push_back({.status = Verdict::Status::warning,
                      .finding = std::move(doubt),
                      .remedy = "correct the name, or take it out of the inventory"});
  }
  if (!doubts.empty()) {
    patient->note("name", patient->domain.name.text(), join(std::move(doubts)));
  }
  for (const auto& name : challenged_names(patient->domain)) co_await examine_name(patient, name);
  for (const auto& name : patient->domain.all_names()) co_await examine_caa(patient, name);
}

Task<void> Doctor::examine_name(Patient* patient, Fqdn name) {
  auto path = co_await inspector_->trace(name.challenge_name());
  if (!path) {
    const bool cname = path.error().kind == Error::Kind::misconfigured;
    auto verdict = judge_error(path.error());
    if (cname) verdict.remedy = "correct the CNAME at the challenge name, or take it away";
    if (path.error().kind == Error::Kind::not_found) {
      verdict.remedy = fmt::format(
          "register the domain of {}, and have its zone served by the "
          "name servers that are entered there",
          name);
    }
    patient->note(cname ? "challenge" : "delegation", name.text(), std::move(verdict));
    co_return;
  }
  std::vector<Verdict> zones;
  const auto origin = co_await inspector_->survey(path->origin);
  zones.push_back(judge_zone(path->origin, origin));
  if (path->zone != path->origin) {
    const auto end = co_await inspector_->survey(path->zone);
    zones.push_back(judge_zone(path->zone, end));
  }
  patient->note("delegation", name.text(), join(std::move(zones)));
  co_await examine_record(patient, std::move(name), std::move(*path));
}

Task<void> Doctor::examine_record(Patient* patient, Fqdn name, dns::ChallengePath path) {
  const bool ours = app_.config().responders.contains(patient->choices.dns);
  return ours ? examine_at_responder(patient, std::move(name), std::move(path))
              : examine_at_host(patient, std::move(name), std::move(path));
}

/// The inventory's zone id is that of the zone around the primary name: see fleet::Steps.
Task<bool> Doctor::is_in_zone_of(Domain domain, Fqdn name, dns::ChallengePath path) {
  if (path.names.size() > 1) co_return false;
  const auto primary = domain.name.without_wildcard();
  if (name == primary) co_return true;
  const auto around = co_await inspector_->trace(primary.challenge_name());
  co_return around && around->names.size() == 1 && around->zone == path.zone;
}

Task<Result<std::vector<Fqdn>>> Doctor::assigned_servers(std::pair<DnsName, dns::Zone> zone) {
  return app_.ports().dns.at(zone.first).provider->name_servers(std::move(zone.second));
}

Task<void> Doctor::examine_at_host(Patient* patient, Fqdn name, dns::ChallengePath path) {
  const auto& dns = patient->choices.dns;
  // Whoever does not reach the host has been told so.
  if (sections_.at({"dns", section("dns", dns.text())}).status == Verdict::Status::failed)
    co_return;
  dns::Zone zone{.id = {}, .name = path.zone};
  if (co_await is_in_zone_of(patient->domain, name, path)) zone.id = patient->domain.zone_id;
  if (zone.id.empty()) {
    auto found = co_await app_.ports().dns.at(dns).provider->find_zone(path.record());
    if (!found) {
      auto verdict = judge_error(found.error());
      patient->note("challenge", name.text(), std::move(verdict));
      co_return;
    }
    zone = std::move(*found);
  }
  co_await examine_values(patient, name, path);
  std::pair wanted(dns, zone);
  const auto assigned = co_await assigned_.of(std::move(wanted));
  const auto survey = co_await inspector_->survey(path.zone);
  auto verdict = judge_host(dns, zone, path.zone, assigned, survey);
  if (options_.write_test && stand_in_.answers() && verdict.status != Verdict::Status::failed) {
    verdict = co_await try_writing(dns, std::move(zone), std::move(path));
  }
  patient->note("write", name.text(), std::move(verdict));
}

Task<void> Doctor::examine_values(Patient* patient, Fqdn name, dns::ChallengePath path) {
  const auto values = co_await inspector_->values(path.record(), path.zone);
  patient->note(
      "challenge", name.text(),
      values ? judge_values(path, *values, at(ours_, path.record()), at(stale_, path.record()))
             : judge_error(values.error()));
}

Task<void> Doctor::examine_at_responder(Patient* patient, Fqdn name, dns::ChallengePath path) {
  const auto& dns = patient->choices.dns;
  const auto& options = app_.config().responders.at(dns);
  auto apex = dns::responder_zone(options.zones, path.record());
  if (!apex) {
    patient->note("challenge", name.text(),
                  {.status = Verdict::Status::failed,
                   .finding = fmt::format("[dns.{}] is not responsible for where the challenge "
                                          "name leads: {}",
                                          dns, path.record()),
                   .remedy = apex.error().detail});
    co_return;
  }
  co_await examine_values(patient, name, path);

  dns::Zone zone{.id = ZoneId(apex->text()), .name = *apex};
  const auto& given = patient->domain.zone_id;
  if (!given.empty() && given != zone.id) {
    patient->note("write", name.text(),
                  {.status = Verdict::Status::failed,
                   .finding = fmt::format("the inventory says zone id {}, but at [dns.{}] {} is in "
                                          "the zone {}",
                                          given, dns, path.record(), zone.id),
                   .remedy = fmt::format("set zone_id to {}, or leave it empty", zone.id)});
    co_return;
  }
  if (options_.write_test && stand_in_.answers()) {
    auto verdict = co_await try_writing(dns, std::move(zone), std::move(path));
    patient->note("write", name.text(), std::move(verdict));
    co_return;
  }
  const auto survey = co_await inspector_->survey(path.zone);
  if (survey) {
    patient->note("write", name.text(), judge_responder(dns, options, *apex, survey->servers));
  }
}

Task<void> Doctor::examine_caa(Patient* patient, Fqdn name) {
  const auto set = co_await inspector_->caa(name);
  patient->note("caa", name.text(), judge_caa_of(name, set, cas_.at(patient->choices.ca)));
}

/// As an issuance does it: written into the ledger, sent by the batcher, seen on every server. The
/// value belongs to no issuance, so that the sweep takes it away again.
Task<Verdict> Doctor::try_writing(DnsName section, dns::Zone zone, dns::ChallengePath path) {
  auto& clock = app_.loop().clock();
  auto& ports = app_.ports();
  const TxtValue value(fmt::format("certherd-doctor-{:016x}{:016x}", random_.uniform(0, UINT64_MAX),
                                   random_.uniform(0, UINT64_MAX)));
  const Time begun = clock.now();
  std::vector<TxtRecord> records = {
      {.dns = section, .zone = zone.id, .name = path.record(), .value = value, .issuance = {}}};
  auto ticket = co_await ports.dns.at(section).batcher->ensure(std::move(zone), std::move(records));
  if (!ticket) co_return judge_error(ticket.error());

  const dns::Location place{.record = path.record(), .zone = path.zone};
  const Time deadline = begun + app_.config().defaults.check_within;
  Duration pause = shortest_look;
  while (true) {
    const auto view = co_await ports.visibility->look(place, {value});
    if (!view) co_return judge_error(view.error());
    if (view->everywhere) {
      co_return Verdict{
          .status = Verdict::Status::ok,
          .finding = fmt::format("a test value was written, seen on every name server after {}, "
                                 "and removed",
                                 format_duration(clock.now() - begun)),
          .remedy = {}};
    }
    if (clock.now() >= deadline || interrupted_) {
      co_return Verdict{
          .status = Verdict::Status::failed,
          .finding = fmt::format("a test value was written, but not seen on every name server "
                                 "after {}: {}",
                                 format_duration(clock.now() - begun), view->missing()),
          .remedy = "look at why these servers do not show what certherd publishes"};
    }
    co_await clock.sleep_for(pause);
    pause = std::min(pause * 2, longest_look);
  }
}

Task<void> Doctor::clean_up() {
  if (!options_.write_test || !stand_in_.answers()) co_return;
  for (const auto& [name, port] : app_.ports().dns) {
    const auto swept = co_await port.batcher->sweep();
    if (swept) continue;
    auto verdict = judge_error(swept.error());
    verdict.remedy = "the test values stand in the ledger, and the next run removes them";
    note("write", section("dns", name.text()), std::move(verdict));
  }
}

std::map<Verdict::Status, std::size_t> count_domains(const std::vector<Finding>& findings) {
  std::map<Fqdn, Verdict::Status> worst;
  for (const auto& finding : findings) {
    if (finding.domain.empty()) continue;
    auto& status = worst[finding.domain];
    status = std::max(status, finding.verdict.status);
  }
  std::map<Verdict::Status, std::size_t> counts = {
      {Verdict::Status::ok, 0}, {Verdict::Status::warning, 0}, {Verdict::Status::failed, 0}};
  for (const auto& [domain, status] : worst) counts[status] += 1;
  return counts;
}

json::object to_json(const std::vector<Finding>& findings) {
  json::array checks;
  checks.reserve(findings.size());
  std::map<Verdict::Status, std::size_t> counts = {
      {Verdict::Status::ok, 0}, {Verdict::Status::warning, 0}, {Verdict::Status::failed, 0}};
  for (const auto& finding : findings) {
    counts[finding.verdict.status] += 1;
    json::value domain = nullptr;
    if (!finding.domain.empty()) domain = finding.domain.text();
    checks.push_back(json::object{{"domain", std::move(domain)},
                                  {"check", finding.check},
                                  {"subject", finding.subject},
                                  {"status", to_string(finding.verdict.status)},
                                  {"finding", finding.verdict.finding},
                                  {"remedy", finding.verdict.remedy}});
  }
  const auto counted = [](const std::map<Verdict::Status, std::size_t>& by_status) {
    json::object object;
    for (const auto& [status, count] : by_status) object[to_string(status)] = count;
    return object;
  };
  return {{"checks", std::move(checks)},
          {"summary", json::object{{"checks", counted(counts)},
                                   {"domains", counted(count_domains(findings))}}}};
}

}  // namespace certherd::app
