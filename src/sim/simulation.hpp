#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "sim/scenario.hpp"

namespace certherd::sim {

class World;

/// How a day of a simulation went.
struct DayOf {
  int issued = 0;           ///< certificates
  std::uint64_t calls = 0;  ///< of Route 53
  int without = 0;          ///< domains without a served certificate, at the end of the day
  double least_left = 1;    ///< of its lifetime, the certificate that has the least
};

/// What came of a recall.
struct Recalled {
  Time at{};
  int certificates = 0;
  int in_time = 0;               ///< replaced before they were revoked
  std::vector<int> by_hour;      ///< how many were replaced in each hour
  std::optional<Duration> last;  ///< until the last one was replaced; nothing: some never were
};

/// What a simulation has come to.
struct Outcome {
  Scenario scenario;
  std::vector<std::string> broken;  ///< promises, in words; empty: none
  std::string log;                  ///< SHA-256 over all events, in hex; empty: they were not read

  std::uint64_t certificates = 0;
  std::uint64_t renewals = 0;  ///< of those
  std::uint64_t polls = 0;     ///< questions about renewals
  std::uint64_t probes = 0;
  std::uint64_t journal_writes = 0;  ///< rows of issuances
  std::uint64_t exchanges = 0;       ///< with the systems outside, besides polls and probes
  std::uint64_t route53_calls = 0;
  int kills = 0;
  int outages = 0;
  int broken_sites = 0;
  int inventory_changes = 0;
  int freezes = 0;
  int wrong_clocks = 0;

  std::optional<Duration> all_served_after;  ///< since the beginning; nothing: never
  double least_margin = 1;  ///< of its lifetime, what a certificate had left when it was replaced
  double mean_margin = 1;
  std::vector<DayOf> days;
  std::vector<Recalled> recalls;

  double seconds = 0;             ///< of processor time
  std::uint64_t peak_memory = 0;  ///< of the process, bytes

  /// Adds what is counted in another one: certificates and so on to `freezes`, and `seconds`.
  void add(const Outcome& other);
};

struct SimulationOptions {
  /// Called after each virtual day; false: the run ends there.
  std::function<bool(int day)> progress{};
  /// Gets each event as a line; only for fleets that are watched closely.
  std::function<void(const std::string& line)> log{};
  /// Keys and certificates are OpenSSL's, see World; for fleets that begin without any.
  bool real_certificates = false;
  /// Called before each process begins, when nothing of the one before is there any more: may put
  /// other adapters into the ports of the world.
  std::function<void(World& world)> furnish{};
};

/// Lets the real program live through a scenario. What it throws is a defect of the program or of
/// this simulation, and as much a failure as a broken promise.
Outcome simulate(const Scenario& scenario, SimulationOptions options);

}  // namespace certherd::sim
