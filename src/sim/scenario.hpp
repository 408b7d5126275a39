#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "policy/ca_limits.hpp"

namespace certherd::sim {

/// A fleet, the outside systems that it lives among, and what happens to them. All moments are
/// spans from the beginning.
struct Scenario {
  enum class Keeping { memory, sqlite };

  std::string name = "steady";
  int domains = 1'000;
  Duration span = std::chrono::days(365);
  std::uint64_t seed = 1;
  Keeping store = Keeping::memory;

  // The fleet.
  int names_per_registered_domain = 1;
  double wildcards = 0.1;   ///< this share has apex and wildcard in one certificate
  bool established = true;  ///< all have a certificate at the beginning, of any age
  bool delegated = true;    ///< challenge names lead into one zone; else each domain has its own

  // The CA.
  Duration validity = std::chrono::days(90);
  struct Validity {
    Duration after{};
    Duration validity{};
  };
  std::vector<Validity> validities;  ///< by time
  policy::CaLimits limits = policy::CaLimits::of(policy::CaLimits::Preset::letsencrypt);
  Duration asked_again_after = std::chrono::hours(6);  ///< about renewals, as Boulder has it
  struct Recall {
    Duration after{};
    double share = 1;
    Duration within = std::chrono::hours(24);
  };
  std::vector<Recall> recalls;  ///< it wants certificates replaced, before it revokes them

  // Route 53.
  double calls_per_second = 5;
  Duration least_to_in_sync = std::chrono::seconds(20);
  Duration most_to_in_sync = std::chrono::seconds(120);

  // The program.
  Duration probe_every = std::chrono::hours(6);
  int max_in_flight = 500;

  // What goes wrong.
  double breaks = 0;     ///< of all exchanges, this share breaks off; half of them after their work
  double kills = 0;      ///< at this share of the exchanges that change something it is killed;
                         ///< a fleet of more than a hundred is killed as often as that
  bool mishaps = false;  ///< systems are away, domains lapse and move, clocks are frozen
  /// What goes wrong all the time hides what only goes wrong without it: who is killed every few
  /// days never shows what a process forgets in weeks. So of four seeds, one kills nobody, and one
  /// has a DNS host that takes up to an hour.
  bool varied = false;

  /// Whether zones, ledger and events are looked through every hour too: for fleets in which that
  /// is no long work.
  bool watches_all() const { return domains <= 5'000; }

  /// One that the program knows: "steady", "first-import", "mass-revocation", "validity-45",
  /// "chaos". Errors: not_found, naming those there are.
  static Result<Scenario> named(std::string_view name);

  /// Reads one from TOML; what is not in there is as in the scenario that its key `like` names,
  /// else as in "steady". `file` is how faults name it. Errors: misconfigured, with a cause for
  /// each fault.
  static Result<Scenario> parse(std::string file, std::string_view text);
};

/// The names of those that the program knows, each with what it is, for people.
const std::vector<std::pair<std::string, std::string>>& scenarios();

}  // namespace certherd::sim
