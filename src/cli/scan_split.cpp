#include "cli/scan_split.hpp"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json.hpp>
#include <filesystem>
#include <map>
#include <set>

#include "app/inventory_file.hpp"
#include "base/versioned_folder.hpp"
#include "cli/domain.hpp"
#include "cli/table.hpp"
#include "cli/tell.hpp"
#include "fleet/report.hpp"
#include "policy/split.hpp"

namespace certherd::cli {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using policy::OwnCertificate;
using policy::Split;
using State = OwnCertificate::State;

constexpr auto op = "scan --split";

Split split_of(const SplitScan& scan) {
  std::vector<policy::SeenCertificate> seen;
  std::vector<Fqdn> looked_at;
  for (const auto& finding : scan.findings) {
    looked_at.push_back(finding.asked.host);
    if (!finding.leaf) continue;
    seen.push_back({.endpoint = finding.asked,
                    .fingerprint = finding.leaf->fingerprint,
                    .serial = finding.leaf->serial,
                    .issuer = finding.leaf->issuer,
                    .not_after = finding.leaf->not_after,
                    .names = finding.leaf->names});
  }
  return policy::split_shared(seen, looked_at, scan.inventory);
}

std::string_view to_string(State state) {
  switch (state) {
    case State::added:
      return "added";
    case State::changed:
      return "changed";
    case State::present:
      return "present";
  }
  return "added";
}

/// Those that the inventory does not have like that yet.
std::vector<Domain> to_be_written(const Split& split) {
  std::vector<Domain> domains;
  for (const auto& own : split.own) {
    if (own.state != State::present) domains.push_back(own.domain);
  }
  return domains;
}

json::array texts(const auto& list) {
  json::array array;
  for (const auto& each : list) array.push_back(json::string(each.text()));
  return array;
}

void print_document(const SplitScan& scan, const Split& split, const std::string& path) {
  json::array shared;
  for (const auto& one : split.shared) {
    shared.push_back(
        json::object{{"serial", one.seen.serial.text()},
                     {"fingerprint", one.seen.fingerprint.text()},
                     {"issuer", one.seen.issuer},
                     {"not_after", format_time(one.seen.not_after)},
                     {"days_left", policy::days_until(one.seen.not_after, scan.now)},
                     {"names", json::array(one.seen.names.begin(), one.seen.names.end())},
                     {"domains", texts(one.domains)},
                     {"registered_domains", texts(one.registered_domains)},
                     {"endpoints", texts(one.endpoints)}});
  }
  json::array proposed;
  for (const auto& own : split.own) {
    proposed.push_back(json::object{{"domain", own.domain.name.text()},
                                    {"state", to_string(own.state)},
                                    {"registered_domain", own.registered_domain.text()},
                                    {"row", row_json(own.domain)}});
  }
  json::array left_out;
  for (const auto& one : split.left_out) {
    left_out.push_back(json::object{{"name", one.name}, {"reason", one.reason}});
  }
  json::array unread;
  for (const auto& finding : scan.findings) {
    if (finding.leaf || !finding.error) continue;
    unread.push_back(json::object{{"endpoint", finding.endpoint.text()},
                                  {"error", fleet::to_json(*finding.error)}});
  }
  print_json(json::object{{"shared", std::move(shared)},
                          {"proposed", std::move(proposed)},
                          {"left_out", std::move(left_out)},
                          {"unread", std::move(unread)},
                          {"skipped", texts(scan.nowhere)},
                          {"written", path.empty() ? json::value() : json::value(path)}});
}

std::string state_text(const OwnCertificate& own) {
  if (own.state == State::present) return "in the inventory";
  std::string text = own.state == State::added ? "new" : "changed";
  if (!own.domain.enabled) text += ", disabled";
  return text;
}

void print_table(const Split& split, Time now) {
  std::map<Fqdn, const OwnCertificate*> by_name;
  for (const auto& own : split.own) by_name.emplace(own.domain.name, &own);
  Table table({"SERIAL", "NOT AFTER", "DAYS", "DOMAIN", "REGISTERED DOMAIN", "OWN NAMES", "STATE"});
  for (const auto& shared : split.shared) {
    for (const auto& name : shared.domains) {
      const auto& own = *by_name.at(name);
      table.add({shared.seen.serial.text(), format_time(shared.seen.not_after),
                 fmt::to_string(policy::days_until(shared.seen.not_after, now)), name.text(),
                 own.registered_domain.text(),
                 fmt::format("{}", fmt::join(own.domain.all_names(), " ")), state_text(own)});
    }
  }
  if (!split.shared.empty()) table.print();
}

std::string counted(std::size_t number, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", number, number == 1 ? one : many);
}

/// The lines behind the table.
std::vector<std::string> remarks(const SplitScan& scan, const Split& split) {
  std::vector<std::string> lines;
  lines.reserve(split.left_out.size());
  for (const auto& one : split.left_out) {
    lines.push_back(fmt::format("{} is left out: {}", one.name, one.reason));
  }
  for (const auto& finding : scan.findings) {
    if (finding.leaf || !finding.error) continue;
    lines.push_back(
        fmt::format("{} could not be read: {}", finding.endpoint.text(), finding.error->message()));
  }
  for (const auto& name : scan.nowhere) {
    lines.push_back(fmt::format("{} was skipped: a wildcard names no host to look at", name));
  }
  if (split.shared.empty()) {
    lines.emplace_back("no certificate is shared by several domains");
    return lines;
  }
  std::set<Fqdn> domains;
  std::set<Fqdn> registered;
  for (const auto& shared : split.shared) {
    domains.insert(shared.domains.begin(), shared.domains.end());
    registered.insert(shared.registered_domains.begin(), shared.registered_domains.end());
  }
  lines.push_back(fmt::format(
      "{} shared by {} of {}", counted(split.shared.size(), "certificate is", "certificates are"),
      counted(domains.size(), "domain", "domains"),
      counted(registered.size(), "registered domain", "registered domains")));
  const auto strangers = std::ranges::count_if(split.own, [](const OwnCertificate& own) {
    return own.state == State::added && !own.domain.enabled;
  });
  if (strangers > 0) {
    lines.push_back(fmt::format(
        "{} disabled: enable those that are yours",
        counted(static_cast<std::size_t>(strangers), "new domain is", "new domains are")));
  }
  return lines;
}

/// What can be done with the inventory.
std::string way_on(const Split& split, const std::string& path) {
  const auto written = to_be_written(split);
  if (written.empty()) {
    return "all of them are in the inventory by themselves: what is left is certherd issue, and "
           "certherd deploy";
  }
  if (path.empty())
    return "to have an inventory written that splits them: the same with --out FILE";
  // What is in the inventory already cannot be imported.
  const bool changes = std::ranges::any_of(
      split.own, [](const OwnCertificate& own) { return own.state == State::changed; });
  return fmt::format("{} in {}: certherd domain {} {}",
                     counted(written.size(), "domain is", "domains are"), path,
                     changes ? "sync" : "import", path);
}

}  // namespace

Status check_split_file(const std::string& path) {
  if (path.empty() || path == "-") return {};
  std::error_code ignored;
  if (fs::exists(fs::symlink_status(path, ignored))) {
    return fail(Error::Kind::conflict, op,
                fmt::format("{} is there already: name another file", path));
  }
  const auto parent = fs::path(path).parent_path();
  if (!parent.empty() && !fs::is_directory(parent, ignored)) {
    return fail(Error::Kind::misconfigured, op,
                fmt::format("there is no folder {} to write to", parent.string()));
  }
  return {};
}

int tell_split(const Context& context, const SplitScan& scan, const std::string& path) {
  const auto split = split_of(scan);
  const auto csv = app::write_csv(to_be_written(split));
  const bool to_file = !path.empty() && path != "-" && !to_be_written(split).empty();
  if (to_file) {
    auto written = create_private_file(path, csv);
    if (!written) return report(context, std::move(written.error()).during(op));
  }
  auto lines = remarks(scan, split);
  if (!split.own.empty() && path != "-") lines.push_back(way_on(split, path));
  if (context.json) {
    print_document(scan, split, to_file ? path : std::string());
  } else if (path == "-") {
    fmt::print("{}", csv);
    if (!context.quiet) {
      for (const auto& line : lines) tell_aside(line);
    }
  } else {
    print_table(split, scan.now);
    for (const auto& line : lines) fmt::print("{}\n", line);
  }
  const bool all_read = std::ranges::all_of(
      scan.findings, [](const fleet::Finding& finding) { return finding.leaf.has_value(); });
  return all_read ? all_done : some_failed;
}

}  // namespace certherd::cli
