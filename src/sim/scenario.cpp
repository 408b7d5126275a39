#include "sim/scenario.hpp"

#include <fmt/format.h>

#include <utility>

#include "config/section.hpp"

namespace certherd::sim {
namespace {

using std::chrono::days;
using std::chrono::hours;

constexpr int most_domains = 1'000'000;
constexpr Duration longest_span = days(3'650);

void read_validities(config::Section& root, Scenario& scenario) {
  for (auto& table : root.tables("validities")) {
    Scenario::Validity one;
    if (const auto after = table.duration("after")) one.after = *after;
    if (const auto validity = table.duration("validity")) one.validity = *validity;
    if (one.validity <= Duration(0)) table.fault("validity", "how long certificates are good");
    table.done();
    scenario.validities.push_back(one);
  }
}

void read_recalls(config::Section& root, Scenario& scenario) {
  for (auto& table : root.tables("recalls")) {
    Scenario::Recall one;
    if (const auto after = table.duration("after")) one.after = *after;
    if (const auto share = table.number("share", 0, 1)) one.share = *share;
    if (const auto within = table.duration("within")) one.within = *within;
    table.done();
    scenario.recalls.push_back(one);
  }
}

void read_limits(config::Section& root, Scenario& scenario) {
  auto limits = root.table("limits");
  if (!limits) return;
  for (const auto limit : policy::all_ca_limits) {
    const auto key = policy::to_string(limit);
    const auto text = limits->text(key);
    if (!text) continue;
    const auto rate = policy::parse_rate(*text);
    if (*text == "none") {
      scenario.limits.rates.erase(limit);
    } else if (rate) {
      scenario.limits.rates[limit] = *rate;
    } else {
      limits->fault(key, "as \"300/3h\", or \"none\"");
    }
  }
  limits->done();
}

}  // namespace

const std::vector<std::pair<std::string, std::string>>& scenarios() {
  static const std::vector<std::pair<std::string, std::string>> all = {
      {"steady", "a fleet whose certificates are of any age, and nothing goes wrong"},
      {"first-import", "the same without a certificate at the beginning"},
      {"mass-revocation",
       "on the third day the CA wants all certificates replaced within 24 hours"},
      {"validity-45", "certificates of 90 days, from day 60 on of 64, from day 200 on of 45"},
      {"chaos", "all that can go wrong does, and the program is killed again and again"},
  };
  return all;
}

Result<Scenario> Scenario::named(std::string_view name) {
  Scenario scenario;
  scenario.name = name;
  if (name == "steady") return scenario;
  if (name == "first-import") {
    scenario.established = false;
    scenario.span = days(90);
    return scenario;
  }
  if (name == "mass-revocation") {
    scenario.span = days(7);
    scenario.recalls = {{.after = days(2)}};
    return scenario;
  }
  if (name == "validity-45" || name == "chaos") {
    scenario.validities = {{.after = days(60), .validity = days(64)},
                           {.after = days(200), .validity = days(45)}};
  }
  if (name == "validity-45") return scenario;
  if (name == "chaos") {
    scenario.domains = 100;
    scenario.span = days(400);
    scenario.store = Keeping::sqlite;
    scenario.established = false;
    scenario.delegated = false;
    scenario.recalls = {{.after = days(150), .share = 0.3}};
    scenario.breaks = 0.02;
    scenario.kills = 0.005;
    scenario.probe_every = hours(24);
    scenario.mishaps = true;
    scenario.varied = true;
    scenario.names_per_registered_domain = 20;
    // Tight enough for a hundred domains to meet it.
    scenario.limits.rates[policy::CaLimit::new_orders] = {.units = 20, .period = hours(3)};
    return scenario;
  }
  std::string known;
  for (const auto& [one, what] : scenarios()) known += (known.empty() ? "" : ", ") + one;
  return fail(Error::Kind::not_found, "choose the scenario",
              fmt::format("there is no \"{}\"; the program knows {}, and reads others from a file",
                          name, known));
}

Result<Scenario> Scenario::parse(std::string file, std::string_view text) {
  auto document = config::Document::parse(std::move(file), text);
  if (!document) return fail(std::move(document.error()));
  auto root = document->root();
  Scenario scenario;
  if (const auto like = root.text("like")) {
    auto base = named(*like);
    if (base) {
      scenario = std::move(*base);
    } else {
      root.fault("like", base.error().detail);
    }
  }
  const auto number = [&root](std::string_view key, int& into, int low, int high) {
    if (const auto value = root.integer(key, low, high)) into = static_cast<int>(*value);
  };
  const auto share = [&root](std::string_view key, double& into) {
    if (const auto value = root.number(key, 0, 1)) into = *value;
  };
  const auto span = [&root](std::string_view key, Duration& into) {
    if (const auto value = root.duration(key)) into = *value;
  };
  const auto flag = [&root](std::string_view key, bool& into) {
    if (const auto value = root.boolean(key)) into = *value;
  };
  if (const auto name = root.text("name")) scenario.name = *name;
  number("domains", scenario.domains, 1, most_domains);
  span("span", scenario.span);
  if (scenario.span > longest_span) root.fault("span", "at most ten years");
  number("names_per_registered_domain", scenario.names_per_registered_domain, 1, most_domains);
  share("wildcards", scenario.wildcards);
  flag("established", scenario.established);
  flag("delegated", scenario.delegated);
  span("validity", scenario.validity);
  span("asked_again_after", scenario.asked_again_after);
  if (const auto value = root.number("calls_per_second", 0.1, 1'000)) {
    scenario.calls_per_second = *value;
  }
  span("least_to_in_sync", scenario.least_to_in_sync);
  span("most_to_in_sync", scenario.most_to_in_sync);
  if (scenario.most_to_in_sync < scenario.least_to_in_sync) {
    root.fault("most_to_in_sync", "not less than least_to_in_sync");
  }
  span("probe_every", scenario.probe_every);
  number("max_in_flight", scenario.max_in_flight, 1, most_domains);
  share("breaks", scenario.breaks);
  share("kills", scenario.kills);
  flag("mishaps", scenario.mishaps);
  flag("varied", scenario.varied);
  read_validities(root, scenario);
  read_recalls(root, scenario);
  read_limits(root, scenario);
  root.done();
  if (!document->faults().empty()) return fail(std::move(document->faults()).error());
  return scenario;
}

}  // namespace certherd::sim
