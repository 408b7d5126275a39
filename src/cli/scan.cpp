#include "fleet/scan.hpp"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <map>
#include <memory>

#include "app/hosts_file.hpp"
#include "app/list_file.hpp"
#include "cli/context.hpp"
#include "cli/input.hpp"
#include "cli/progress.hpp"
#include "cli/scan_split.hpp"
#include "cli/table.hpp"
#include "cli/where.hpp"
#include "crypto/private_key.hpp"
#include "fleet/report.hpp"
#include "runtime/task_group.hpp"

namespace certherd::cli {
namespace {

namespace json = boost::json;
using fleet::Finding;
using policy::Drift;
using policy::EndpointStatus;

constexpr int most_warn_days = 3'650;

struct Options {
  std::vector<std::string> names;
  std::string where;
  std::string hosts;
  std::string timeout;
  std::string out;
  std::optional<int> warn_days;
  bool all_addresses = false;
  bool split = false;
};

/// What a scan is about: the places to look at, and the inventory to judge them by.
struct Job {
  std::vector<fleet::ScanSubject> subjects;
  std::vector<Fqdn> nowhere;
  std::vector<fleet::Scan::Row> rows;
};

Task<Result<std::vector<store::DomainRow>>> rows_of(app::App* app, std::vector<std::string> names) {
  std::vector<store::DomainRow> rows;
  rows.reserve(names.size());
  for (const auto& text : names) {
    auto name = Fqdn::parse(text);
    if (!name) co_return fail(std::move(name.error()));
    auto row = co_await app->store().domain(*name);
    if (!row) co_return fail(std::move(row.error()));
    rows.push_back(std::move(*row));
  }
  co_return rows;
}

Task<Result<Job>> job_of(app::App* app, Options options) {
  Job job;
  if (!options.hosts.empty()) {
    auto text = read_input(options.hosts, app::list_limit, "read the hosts");
    if (!text) co_return fail(std::move(text.error()));
    auto endpoints = app::read_hosts(*text);
    if (!endpoints) co_return fail(std::move(endpoints.error()));
    auto rows = co_await app->store().domains();
    if (!rows) co_return fail(std::move(rows.error()));
    job.subjects = fleet::subjects_at(std::move(*endpoints), *rows);
    job.rows = fleet::shared_rows(std::move(*rows));
    co_return job;
  }
  const bool named = !options.names.empty();
  // A disabled domain may still be served: it is looked at when it is asked for.
  const bool everything = !named && options.where.empty();
  auto rows = named ? co_await rows_of(app, std::move(options.names))
                    : co_await domains_where(app, std::move(options.where));
  if (!rows) co_return fail(std::move(rows.error()));
  if (everything) std::erase_if(*rows, [](const auto& row) { return !row.domain.enabled; });
  auto places = fleet::scan_places(*rows, app->ports());
  job.subjects = std::move(places.subjects);
  job.nowhere = std::move(places.nowhere);
  job.rows = fleet::shared_rows(std::move(*rows));
  co_return job;
}

Result<fleet::Scan::Options> scan_options(const app::Config& config, const Options& options) {
  fleet::Scan::Options chosen;
  chosen.timeout = config.probe.timeout;
  chosen.all_addresses = options.all_addresses;
  chosen.warn_before = std::chrono::days(options.warn_days.value_or(config.probe.warn_days));
  if (!options.timeout.empty()) {
    const auto timeout = parse_duration(options.timeout);
    if (!timeout || *timeout == Duration::zero()) {
      return fail(Error::Kind::misconfigured, "--timeout",
                  fmt::format("\"{}\" is no span of time such as 5s or 1m", options.timeout));
    }
    chosen.timeout = *timeout;
  }
  return chosen;
}

std::string progress_text(const fleet::ScanProgress& progress, Duration elapsed) {
  auto text = fmt::format("{}/{} looked at", progress.looked_at, progress.total);
  if (progress.not_ok > 0) text += fmt::format(" · {} not ok", progress.not_ok);
  return text + " · " + format_duration(std::chrono::floor<std::chrono::seconds>(elapsed));
}

constexpr auto why_nowhere = "a wildcard names no host to look at: give it endpoints";

json::array chain_json(const std::vector<crypto::CertificateInfo>& above) {
  json::array chain;
  for (const auto& certificate : above) {
    chain.push_back(json::object{{"subject", certificate.subject},
                                 {"issuer", certificate.issuer},
                                 {"not_after", format_time(certificate.not_after)},
                                 {"fingerprint", certificate.fingerprint.text()}});
  }
  return chain;
}

json::object finding_json(const Finding& finding, Time now) {
  json::object object{{"endpoint", finding.endpoint.text()},
                      {"domain", nullptr},
                      {"address", nullptr},
                      {"status", to_string(finding.status)},
                      {"not_before", nullptr},
                      {"not_after", nullptr},
                      {"days_left", nullptr},
                      {"serial", nullptr},
                      {"issuer", nullptr},
                      {"names", json::array()},
                      {"fingerprint", nullptr},
                      {"key", nullptr},
                      {"chain", json::array()},
                      {"shared_by", nullptr}};
  if (finding.domain) object["domain"] = finding.domain->text();
  if (const auto& leaf = finding.leaf) {
    object["address"] = finding.address;
    object["not_before"] = format_time(leaf->not_before);
    object["not_after"] = format_time(leaf->not_after);
    object["days_left"] = policy::days_until(leaf->not_after, now);
    object["serial"] = leaf->serial.text();
    object["issuer"] = leaf->issuer;
    object["names"] = json::array(leaf->names.begin(), leaf->names.end());
    object["fingerprint"] = leaf->fingerprint.text();
    object["key"] = crypto::key_text(leaf->public_key);
    object["chain"] = chain_json(finding.above);
    object["shared_by"] = finding.domains;
  }
  json::array drift;
  for (const auto& one : finding.drift) {
    drift.push_back(json::object{{"kind", to_string(one.kind)}, {"detail", one.detail}});
  }
  object["drift"] = std::move(drift);
  object["error"] = finding.error ? json::value(fleet::to_json(*finding.error)) : nullptr;
  return object;
}

/// How many endpoints there are of each status, how many differ from what certherd issued, and how
/// many serve a certificate of several domains.
struct Counts {
  std::map<EndpointStatus, int> statuses;
  int drift = 0;
  int shared = 0;
};

Counts count(const std::vector<Finding>& findings) {
  Counts counts;
  for (const auto& finding : findings) {
    counts.statuses[finding.status] += 1;
    const bool differs = std::ranges::any_of(
        finding.drift, [](const Drift& one) { return one.kind != Drift::Kind::rolling_out; });
    if (differs) counts.drift += 1;
    if (finding.domains > 1) counts.shared += 1;
  }
  return counts;
}

void print_document(const std::vector<Finding>& findings, const std::vector<Fqdn>& nowhere,
                    Time now) {
  json::array endpoints;
  endpoints.reserve(findings.size());
  for (const auto& finding : findings) endpoints.push_back(finding_json(finding, now));
  json::array skipped;
  for (const auto& name : nowhere) {
    skipped.push_back(json::object{{"domain", name.text()}, {"reason", why_nowhere}});
  }
  const auto counts = count(findings);
  json::object summary;
  for (const auto status : policy::endpoint_statuses) {
    const auto found = counts.statuses.find(status);
    summary[to_string(status)] = found == counts.statuses.end() ? 0 : found->second;
  }
  summary["drift"] = counts.drift;
  summary["shared"] = counts.shared;
  summary["skipped"] = nowhere.size();
  print_json(json::object{{"endpoints", std::move(endpoints)},
                          {"skipped", std::move(skipped)},
                          {"summary", std::move(summary)}});
}

std::string remarks_on(const Finding& finding) {
  std::string text;
  const auto add = [&text](std::string_view words) {
    if (!text.empty()) text += "; ";
    text += words;
  };
  if (finding.error) {
    // What was looked at stands in the row already.
    add(finding.leaf ? finding.error->detail : finding.error->message());
  }
  for (const auto& one : finding.drift) add(one.detail);
  if (finding.domains > 1) add(fmt::format("shared by {} domains", finding.domains));
  return text;
}

void print_table(const std::vector<Finding>& findings, const std::vector<Fqdn>& nowhere, Time now) {
  Table table({"ENDPOINT", "STATUS", "DAYS", "NOT AFTER", "ISSUER", "REMARKS"});
  for (const auto& finding : findings) {
    const auto& leaf = finding.leaf;
    table.add({finding.endpoint.text(), std::string(to_string(finding.status)),
               leaf ? fmt::to_string(policy::days_until(leaf->not_after, now)) : "-",
               leaf ? format_time(leaf->not_after) : "-", leaf ? leaf->issuer : "-",
               remarks_on(finding)});
  }
  if (!findings.empty()) table.print();
  for (const auto& name : nowhere) fmt::print("{} was skipped: {}\n", name, why_nowhere);

  const auto counts = count(findings);
  std::string text;
  const auto add = [&text](std::size_t number, std::string_view what) {
    if (number > 0) text += fmt::format("{}{} {}", text.empty() ? "" : " · ", number, what);
  };
  for (const auto& [status, number] : counts.statuses) {
    add(static_cast<std::size_t>(number), to_string(status));
  }
  add(static_cast<std::size_t>(counts.drift), "drifted");
  add(static_cast<std::size_t>(counts.shared), "shared");
  add(nowhere.size(), "skipped");
  fmt::print("{}\n", text.empty() ? "there is nothing to look at" : text);
}

Task<Result<std::vector<Finding>>> look(app::App* app, Context context,
                                        fleet::Scan::Options options, Job* job) {
  if (auto ready = app->prepare_scan(); !ready) co_return fail(std::move(ready.error()));
  fleet::Scan scan(app->ports(), options);
  const auto text = [&scan](Duration elapsed) { return progress_text(scan.progress(), elapsed); };
  ProgressDisplay display(app->loop().clock(), text, context.quiet);
  runtime::TaskGroup background(app->loop());
  background.spawn(display.run());
  auto findings = co_await scan.run(std::move(job->subjects), std::move(job->rows));
  background.cancel();
  co_await background.join();
  co_return findings;
}

/// Told before anything is looked at. Errors: as check_split_file(), misconfigured.
Status check_split_use(const Context& context, const Options& options) {
  if (context.json && options.out == "-") {
    return fail(
        Error::Kind::misconfigured, "--out -",
        "standard output takes either the JSON document or the inventory: leave out --json, "
        "or name a file");
  }
  return check_split_file(options.out);
}

Task<int> scan(app::App* app, Context context, Options options) {
  auto chosen = scan_options(app->config(), options);
  if (!chosen) co_return report(context, chosen.error());
  if (auto free = check_split_use(context, options); !free) {
    co_return report(context, free.error());
  }
  auto job = co_await job_of(app, options);
  if (!job) co_return report(context, job.error());
  auto findings = co_await look(app, context, *chosen, &*job);
  Result<std::vector<store::DomainRow>> inventory;
  if (findings && options.split) inventory = co_await app->store().domains();
  co_await app->stop();
  if (!findings) co_return report(context, findings.error());
  if (!inventory) co_return report(context, inventory.error());

  const Time now = app->loop().clock().now();
  if (options.split) {
    SplitScan split{std::move(*findings), std::move(job->nowhere), {}, now};
    for (auto& row : *inventory) split.inventory.push_back(std::move(row.domain));
    co_return tell_split(context, split, options.out);
  }
  if (context.json) {
    print_document(*findings, job->nowhere, now);
  } else {
    print_table(*findings, job->nowhere, now);
  }
  co_return std::ranges::all_of(*findings, &Finding::good) ? all_done : some_failed;
}

}  // namespace

void add_scan(CLI::App& parent, Context& context) {
  auto* command = parent.add_subcommand(
      "scan", "Read what live endpoints serve, and hold it against what was issued");
  command->footer(
      "Looks at the endpoints of the named domains, of all enabled ones without names, or of a\n"
      "file. Changes nothing, and works beside a running certherd. A wildcard without endpoints\n"
      "is skipped.\n\n"
      "An endpoint is unreachable, expired, not_yet_valid, name_mismatch, untrusted, expiring, or\n"
      "ok: the first of these that is true is shown, and the others in its error. It drifts when\n"
      "it serves a former certificate of ours or a stranger's, when its certificate was revoked,\n"
      "or when the vault holds another one.\n\n"
      "Of a host with several addresses the first that answers is looked at; with --all-addresses\n"
      "each of them, IPv4 and IPv6. One that this machine has no way to is unreachable.\n\n"
      "With --split it tells instead which certificates are shared by several domains, and what\n"
      "each of these is to have for itself: apex, www and wildcard of one name stay together. "
      "With\n"
      "--out it writes that as an inventory, for domain import or domain sync. A domain of which\n"
      "nothing is in the inventory or in the list is written as disabled: it may not be yours.\n\n"
      "Exit status: 0 every endpoint is ok and does not drift (with --split: could be read); 1 at\n"
      "least one is not, expiring counted; 2 wrong usage, nothing was looked at.\n\n"
      "Examples:\n"
      "  certherd scan\n"
      "  certherd scan www.example.com --warn-days 30\n"
      "  certherd scan --where owner=web\n"
      "  printf 'mail.example.com:465\\nwww.example.com@192.0.2.1\\n' | certherd scan --hosts -\n"
      "  certherd scan www.example.com --all-addresses\n"
      "  certherd scan --split\n"
      "  certherd scan --hosts hosts.txt --split --out own.csv\n"
      "  certherd scan --json | jq -r '.endpoints[] | select(.status != \"ok\") | .endpoint'");
  auto options = std::make_shared<Options>();
  auto* names = command->add_option("NAME", options->names, "Only these domains of the inventory")
                    ->type_name("DOMAIN");
  auto* where =
      add_where(*command, options->where, "Only domains like that: see certherd domain list");
  auto* hosts = command
                    ->add_option("--hosts", options->hosts,
                                 "A list of host[:port][@address], one a line; - is standard input")
                    ->type_name("FILE");
  names->excludes(where)->excludes(hosts);
  where->excludes(hosts);
  command->add_flag("--all-addresses", options->all_addresses,
                    "Look at every address of each host, not at the first that answers");
  auto* split =
      command->add_flag("--split", options->split,
                        "Tell which domains share a certificate, and propose one for each");
  command
      ->add_option("--out", options->out,
                   "With --split: write the inventory there, as CSV; - is standard output")
      ->type_name("FILE")
      ->needs(split);
  command->add_option("--timeout", options->timeout, "For each endpoint; else [probe] timeout")
      ->type_name("SPAN");
  command
      ->add_option("--warn-days", options->warn_days,
                   "What ends within so many days is expiring; else [probe] warn_days")
      ->type_name("N")
      ->check(CLI::Range(0, most_warn_days));
  command->callback([&context, options] {
    context.action = [&context, options] {
      return with_app(context, [&](app::App* app) { return scan(app, context, *options); });
    };
  });
}

}  // namespace certherd::cli
