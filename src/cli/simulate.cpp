#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <boost/json.hpp>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <mutex>
#include <thread>

#include "base/log.hpp"
#include "base/versioned_folder.hpp"
#include "cli/context.hpp"
#include "cli/input.hpp"
#include "cli/table.hpp"
#include "cli/tell.hpp"
#include "sim/report.hpp"
#include "sim/simulation.hpp"

namespace certherd::cli {
namespace {

namespace json = boost::json;

constexpr std::size_t largest_scenario = 1U << 20U;
constexpr int most_seeds = 1'000'000;

struct Options {
  std::string scenario = "steady";
  int domains = 0;
  int days = 0;
  std::uint64_t seed = 1;
  int seeds = 1;
  int jobs = 1;
  std::string store;
  std::string chart;
  std::string log;
};

Result<sim::Scenario> choose(const Options& options) {
  auto known = sim::Scenario::named(options.scenario);
  const bool is_file = options.scenario.find_first_of("./") != std::string::npos;
  if (!known && is_file) {
    auto text = read_input(options.scenario, largest_scenario, "read the scenario");
    if (!text) return fail(std::move(text.error()));
    known = sim::Scenario::parse(options.scenario, *text);
  }
  if (!known) return known;
  if (options.domains > 0) known->domains = options.domains;
  if (options.days > 0) known->span = std::chrono::days(options.days);
  if (options.store == "sqlite") known->store = sim::Scenario::Keeping::sqlite;
  if (options.store == "memory") known->store = sim::Scenario::Keeping::memory;
  known->seed = options.seed;
  return known;
}

/// Whether Ctrl-C was pressed. A run has no event loop of the real kind that could be told, and
/// sees it after the virtual day that goes on; who presses it once more does not wait for that.
class Interrupted {
 public:
  Interrupted() : before_(std::signal(SIGINT, &press)) {}
  Interrupted(const Interrupted&) = delete;
  Interrupted& operator=(const Interrupted&) = delete;
  ~Interrupted() { (void)std::signal(SIGINT, before_); }

  static bool now() { return pressed; }

 private:
  static void press(int) {
    pressed = true;
    (void)std::signal(SIGINT, SIG_DFL);
  }

  static inline std::atomic<bool> pressed = false;
  static_assert(std::atomic<bool>::is_always_lock_free, "a signal's handler may touch no other");

  void (*before_)(int);
};

void print(const sim::Outcome& outcome) {
  Table table({"What", "How much"});
  const auto add = [&table](std::string what, std::string how_much) {
    table.add({std::move(what), std::move(how_much)});
  };
  if (Interrupted::now()) add("interrupted on day", fmt::format("{}", outcome.days.size()));
  add("certificates issued", fmt::format("{}", outcome.certificates));
  add("renewals among them", fmt::format("{}", outcome.renewals));
  add("all domains served after", outcome.all_served_after
                                      ? format_duration(*outcome.all_served_after)
                                  : Interrupted::now() ? "not yet"
                                                       : "never");
  if (outcome.renewals > 0) {
    add("lifetime left at renewal",
        fmt::format("{:.0f} % on average, {:.0f} % at least", outcome.mean_margin * 100,
                    outcome.least_margin * 100));
  }
  if (const auto orders = sim::orders_per_day(outcome.scenario)) {
    add("new certificates a day that the CA allows", fmt::format("{:.0f}", *orders));
  }
  int most = 0;
  for (const auto& day : outcome.days) most = std::max(most, day.issued);
  add("certificates on the busiest day", fmt::format("{}", most));
  for (const auto& recalled : outcome.recalls) {
    add("revoked by the CA", fmt::format("{}", recalled.certificates));
    add("replaced in time", fmt::format("{}", recalled.in_time));
    add("the last of them after",
        recalled.last ? format_duration(*recalled.last) : "not all were replaced");
  }
  add("questions about renewals", fmt::format("{}", outcome.polls));
  add("looks at endpoints", fmt::format("{}", outcome.probes));
  add("journal writes", fmt::format("{}", outcome.journal_writes));
  add("calls of Route 53", fmt::format("{}", outcome.route53_calls));
  if (outcome.kills > 0) add("kills of the program", fmt::format("{}", outcome.kills));
  if (outcome.outages > 0) add("systems away", fmt::format("{} times", outcome.outages));
  if (outcome.broken_sites > 0) add("domains broken", fmt::format("{}", outcome.broken_sites));
  if (outcome.freezes > 0) add("suspended", fmt::format("{} times", outcome.freezes));
  if (outcome.wrong_clocks > 0) {
    add("clocks wrong", fmt::format("{} times", outcome.wrong_clocks));
  }
  if (!outcome.log.empty()) add("event log (SHA-256)", outcome.log.substr(0, 16));
  add("simulated in",
      fmt::format("{:.1f} s, {} MiB", outcome.seconds, outcome.peak_memory / (1U << 20U)));
  table.print();
}

void tell_broken(const sim::Outcome& outcome, const Options& options) {
  const bool is_file = options.scenario.find_first_of("./") != std::string::npos;
  tell_trouble(fmt::format("{} broken promise{} with seed {}; repeat it with: {}",
                           outcome.broken.size(), outcome.broken.size() == 1 ? "" : "s",
                           outcome.scenario.seed,
                           sim::command_of(outcome.scenario, is_file ? options.scenario : "")));
  for (const auto& words : outcome.broken) tell_part(words);
}

bool shows_progress(const Context& context) { return !context.quiet && isatty(STDERR_FILENO) != 0; }

int simulate_one(const Context& context, const Options& options, const sim::Scenario& scenario) {
  sim::SimulationOptions how;
  std::ofstream log;
  if (!options.log.empty()) {
    log.open(options.log);
    if (!log) return report(context, file_error("write the log", options.log, errno));
    how.log = [&log](const std::string& line) { log << line << '\n'; };
  }
  std::ofstream chart;
  if (!options.chart.empty()) {
    chart.open(options.chart);
    if (!chart) return report(context, file_error("write the chart", options.chart, errno));
  }
  const auto all = std::chrono::duration_cast<std::chrono::days>(scenario.span).count();
  how.progress = [all, shows = shows_progress(context)](int day) {
    const bool goes_on = !Interrupted::now();
    if (shows) {
      fmt::print(stderr, "\rday {} of {}{}", day, all, day >= all || !goes_on ? "\n" : "");
    }
    return goes_on;
  };
  const Interrupted interruption;
  const auto outcome = sim::simulate(scenario, std::move(how));
  if (!options.chart.empty()) {
    chart << sim::drawing_of(outcome);
    if (!chart.flush()) return report(context, file_error("write the chart", options.chart, errno));
  }
  if (context.json) {
    print_json(sim::document_of(outcome));
  } else {
    print(outcome);
  }
  if (!outcome.broken.empty()) tell_broken(outcome, options);
  if (Interrupted::now()) return interrupted;
  return outcome.broken.empty() ? all_done : some_failed;
}

/// Many seeds, several at one time, each with a loop of its own.
int simulate_many(const Context& context, const Options& options, const sim::Scenario& scenario) {
  std::atomic<int> next = 0;
  std::mutex mutex;
  sim::Outcome sum;
  std::vector<std::uint64_t> failed;
  int done = 0;
  const Interrupted interruption;
  const auto work = [&] {
    for (int i = next++; i < options.seeds && !Interrupted::now(); i = next++) {
      auto one = scenario;
      one.seed = options.seed + static_cast<std::uint64_t>(i);
      const auto outcome =
          sim::simulate(one, {.progress = [](int) { return !Interrupted::now(); }, .log = {}});
      if (Interrupted::now()) break;  // it was cut off
      const std::lock_guard lock(mutex);
      sum.add(outcome);
      done += 1;
      if (shows_progress(context)) {
        fmt::print(stderr, "\rseed {} of {}{}", done, options.seeds,
                   done == options.seeds || !outcome.broken.empty() ? "\n" : "");
      }
      if (outcome.broken.empty()) continue;
      failed.push_back(one.seed);
      tell_broken(outcome, options);
    }
  };
  {
    std::vector<std::jthread> workers;
    for (int i = 1; i < options.jobs; ++i) workers.emplace_back(work);
    work();
  }
  std::ranges::sort(failed);
  if (context.json) {
    print_json(json::object{{"seeds", done},
                            {"failed", json::value_from(failed)},
                            {"certificates", sum.certificates},
                            {"renewals", sum.renewals},
                            {"polls", sum.polls},
                            {"probes", sum.probes},
                            {"journal_writes", sum.journal_writes},
                            {"route53_calls", sum.route53_calls},
                            {"kills", sum.kills},
                            {"seconds", sum.seconds}});
  } else {
    fmt::print(
        "{} of {} seeds passed: {} certificates, {} renewals among them, {} questions about "
        "renewals, {} looks at endpoints, {} journal writes, {} calls of Route 53, {} kills, "
        "{:.0f} s\n",
        done - static_cast<int>(failed.size()), done, sum.certificates, sum.renewals, sum.polls,
        sum.probes, sum.journal_writes, sum.route53_calls, sum.kills, sum.seconds);
  }
  if (Interrupted::now()) return interrupted;
  return failed.empty() ? all_done : some_failed;
}

}  // namespace

void add_simulate(CLI::App& parent, Context& context) {
  auto* command = parent.add_subcommand("simulate", "live through a year of a fleet in seconds");
  auto options = std::make_shared<Options>();
  std::string known;
  for (const auto& [name, what] : sim::scenarios()) {
    known += fmt::format("{}{} ({})", known.empty() ? "" : "; ", name, what);
  }
  command->footer(
      "The real scheduler, issuance steps and store work on a clock that jumps from one event to "
      "the next, among a CA with Let's Encrypt's limits, a Route 53 of so many calls a second, a "
      "vault and an edge, all of them in memory. Nothing of your config or store is read or "
      "changed. Ctrl-C tells what came of it so far. Says how long a first import takes, what a "
      "revocation of everything costs, and "
      "what shorter lifetimes mean; and exits with 1 when a promise of docs/promises.md was "
      "broken.\n\nScenarios: " +
      known +
      ". A file describes others, in TOML: see docs/simulate.md.\n\nExamples:\n"
      "  certherd simulate --scenario first-import --domains 5000 --days 60\n"
      "  certherd simulate --scenario mass-revocation --domains 2000 --chart day.svg\n"
      "  certherd simulate --scenario chaos --seeds 20 --jobs 2\n");
  command->add_option("--scenario", options->scenario, "one of those above, or a file")
      ->type_name("NAME|FILE");
  command->add_option("--domains", options->domains, "how many; else as many as the scenario has")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000));
  command->add_option("--days", options->days, "how long; else as long as the scenario is")
      ->type_name("D")
      ->check(CLI::Range(1, 3'650));
  command->add_option("--seed", options->seed, "the same seed gives the same run")->type_name("S");
  command->add_option("--seeds", options->seeds, "run so many, from --seed on; tells their sum")
      ->type_name("N")
      ->check(CLI::Range(1, most_seeds));
  command->add_option("--jobs", options->jobs, "so many of them at one time")
      ->type_name("N")
      ->check(CLI::Range(1, 256));
  command->add_option("--store", options->store, "where the state is kept meanwhile")
      ->check(CLI::IsMember({"memory", "sqlite"}));
  command->add_option("--chart", options->chart, "write a drawing of the days (SVG)")
      ->type_name("FILE");
  command->add_option("--log", options->log, "write each event of a small fleet, one a line")
      ->type_name("FILE");
  command->callback([&context, options] {
    context.action = [&context, options] {
      auto scenario = choose(*options);
      if (!scenario) return report(context, scenario.error());
      // What the simulated program logs is no news about anything.
      log::set_level(log::Level::error);
      if (options->seeds > 1) return simulate_many(context, *options, *scenario);
      return simulate_one(context, *options, *scenario);
    };
  });
}

}  // namespace certherd::cli
