#include "sim/simulation.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <exception>

#include "runtime/task_group.hpp"
#include "sim/life.hpp"
#include "sim/mishaps.hpp"
#include "sim/promises.hpp"
#include "sim/world.hpp"

namespace certherd::sim {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;

/// That this thread has taken so far.
double processor_seconds() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// See Scenario::varied.
Scenario as_its_seed_has_it(Scenario scenario) {
  if (!scenario.varied) return scenario;
  switch (scenario.seed % 4) {
    case 0:
      scenario.kills = 0;
      break;
    case 1:
      scenario.most_to_in_sync = 1h;
      break;
    default:
      break;
  }
  return scenario;
}

/// One run, from the first day to the last.
class Run {
 public:
  Run(const Scenario& scenario, SimulationOptions options)
      : options_(std::move(options)),
        world_(as_its_seed_has_it(scenario), options_.real_certificates),
        promises_(world_),
        mishaps_(world_, promises_),
        life_(
            world_,
            [this] {
              if (options_.furnish) options_.furnish(world_);
            },
            [this] {
              outcome_.kills += 1;
              promises_.note_kill();
            }) {
    promises_.set_log(options_.log);
    outcome_.scenario = scenario;
  }

  Outcome run() {
    const double begin = processor_seconds();
    try {
      world_.loop().run(live());
    } catch (const std::exception& error) {
      outcome_.broken.push_back(
          fmt::format("{} no defect: {}", format_time(world_.now()), error.what()));
    }
    sum_up();
    outcome_.seconds = processor_seconds() - begin;
    return std::move(outcome_);
  }

 private:
  Task<void> live();
  Task<void> change_validity(Scenario::Validity change);
  Task<void> recall(Scenario::Recall recall);
  Task<void> count_days();
  void count_day();
  void set_breaks(double breaks, double kills);
  Time first_end() const;
  void sum_up();

  SimulationOptions options_;
  World world_;
  Promises promises_;
  Mishaps mishaps_;
  Life life_;
  Outcome outcome_;
  Time begin_{};
  DayOf so_far_;  ///< totals at the end of the day before
};

Task<void> Run::live() {
  const auto& scenario = world_.scenario();
  co_await world_.found();
  begin_ = world_.now();
  const Time end = begin_ + scenario.span;
  if (scenario.watches_all()) promises_.plant_foreign_values();
  promises_.expect_served_from(first_end());
  set_breaks(scenario.breaks, scenario.kills);

  runtime::TaskGroup outside(world_.loop());
  outside.spawn(promises_.look());
  outside.spawn(count_days());
  if (scenario.mishaps) outside.spawn(mishaps_.run());
  for (const auto& change : scenario.validities) outside.spawn(change_validity(change));
  outcome_.recalls.reserve(scenario.recalls.size());
  for (const auto& each : scenario.recalls) outside.spawn(recall(each));

  std::exception_ptr ended;
  try {
    co_await life_.live_until(end);
  } catch (...) {
    ended = std::current_exception();  // nothing can be awaited in here
  }
  outside.cancel();
  co_await outside.join();
  if (ended) std::rethrow_exception(ended);
  co_await promises_.look_at_the_end();
}

/// All must have a certificate by then, even where the CA's limits let only so many come.
Time Run::first_end() const {
  const auto& scenario = world_.scenario();
  if (scenario.established) return begin_ + 1h;
  const auto orders = scenario.limits.rates.find(policy::CaLimit::new_orders);
  Duration span = days(2);
  if (orders != scenario.limits.rates.end()) {
    span +=
        std::chrono::duration_cast<Duration>(orders->second.interval() * scenario.domains * 1.1);
  }
  return begin_ + span;
}

void Run::set_breaks(double breaks, double kills) {
  // Who begins anew reads the whole inventory. A large fleet has more exchanges; killed at the same
  // share of them, the program would do nothing but begin anew.
  constexpr double small = 100;
  kills *= std::min(1.0, small / world_.scenario().domains);
  for (auto* line : world_.lines()) {
    auto options = line->options();
    options.breaks_before = breaks / 2;
    options.breaks_after = breaks / 2;
    options.kills = kills;
    line->set_options(options);
  }
}

Task<void> Run::change_validity(Scenario::Validity change) {
  co_await world_.loop().clock().sleep_until(begin_ + change.after);
  world_.ca().set_validity(change.validity);
}

Task<void> Run::recall(Scenario::Recall recall) {
  auto& clock = world_.loop().clock();
  co_await clock.sleep_until(begin_ + recall.after);
  auto& recalled = outcome_.recalls.emplace_back();
  recalled.at = world_.now();
  recalled.certificates = world_.ca().recall(recall.share, "https://ca.test/incident");
  int left = recalled.certificates;
  for (Time hour = recalled.at + 1h; left > 0; hour += 1h) {
    co_await clock.sleep_until(hour);
    const int now_left = world_.ca().recalled_left();
    recalled.by_hour.push_back(left - now_left);
    if (hour <= recalled.at + recall.within) recalled.in_time += left - now_left;
    left = now_left;
    if (left == 0) recalled.last = hour - recalled.at;
  }
}

Task<void> Run::count_days() {
  for (int day = 1;; ++day) {
    co_await world_.loop().clock().sleep_until(begin_ + days(day));
    count_day();
    if (options_.progress && !options_.progress(day)) life_.end();
  }
}

void Run::count_day() {
  DayOf day;
  day.issued = world_.ca().certificates_issued() - so_far_.issued;
  day.calls = world_.route53().all_calls() - so_far_.calls;
  so_far_.issued += day.issued;
  so_far_.calls += day.calls;
  day.without = static_cast<int>(world_.sites().size()) - promises_.served();
  day.least_left = promises_.least_left();
  outcome_.days.push_back(day);
}

void Run::sum_up() {
  auto& out = outcome_;
  out.broken.insert(out.broken.end(), promises_.broken().begin(), promises_.broken().end());
  const auto established = out.scenario.established ? world_.sites().size() : 0;
  out.certificates = static_cast<std::uint64_t>(world_.ca().certificates_issued()) - established;
  const auto first = established > 0 ? 0 : world_.sites().size();
  out.renewals = out.certificates > first ? out.certificates - first : 0;
  out.polls = static_cast<std::uint64_t>(world_.ca().renewal_questions());
  out.probes = world_.probe().looks();
  out.journal_writes = world_.store().journal_writes();
  for (auto* line : world_.lines()) out.exchanges += line->exchanges();
  out.exchanges -= std::min(out.exchanges, out.polls);
  out.route53_calls = world_.route53().all_calls();
  out.outages = mishaps_.outages();
  out.broken_sites = mishaps_.broken_sites();
  out.inventory_changes = mishaps_.changes();
  out.freezes = mishaps_.freezes();
  out.wrong_clocks = mishaps_.wrong_clocks();
  if (const auto at = promises_.all_served_at()) {
    out.all_served_after = std::max(Duration(0), *at - begin_);
  }
  const auto& margin = promises_.margin();
  out.least_margin = margin.least;
  out.mean_margin = margin.count > 0 ? margin.sum / margin.count : 1;
  out.log = promises_.log_digest();
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  out.peak_memory = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

}  // namespace

void Outcome::add(const Outcome& other) {
  certificates += other.certificates;
  renewals += other.renewals;
  polls += other.polls;
  probes += other.probes;
  journal_writes += other.journal_writes;
  exchanges += other.exchanges;
  route53_calls += other.route53_calls;
  kills += other.kills;
  outages += other.outages;
  broken_sites += other.broken_sites;
  inventory_changes += other.inventory_changes;
  freezes += other.freezes;
  wrong_clocks += other.wrong_clocks;
  seconds += other.seconds;
}

Outcome simulate(const Scenario& scenario, SimulationOptions options) {
  Run run(scenario, std::move(options));
  return run.run();
}

}  // namespace certherd::sim
