#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/section.hpp"
#include "deploy/acceptance.hpp"
#include "deploy/target.hpp"
#include "runtime/budget.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/offload.hpp"
#include "runtime/random.hpp"

namespace certherd::deploy {

/// What targets are made from; all of it outlives them.
struct Surroundings {
  runtime::EventLoop& loop;
  runtime::Offload& offload;
  runtime::Random& random;
  runtime::Budget& budget;
  std::string user_agent;
  std::set<std::string> withheld;  ///< variables that hold our secrets: not for commands
};

/// Where all domains of a target can be seen served, whatever their DNS says.
struct Edge {
  std::string host;  ///< a name or an address
  std::uint16_t port = 443;
};

/// One installation, for telling what it will take.
struct Installing {
  bool first = true;      ///< nothing of the domain is there yet
  bool new_key = true;    ///< otherwise the key is that of the certificate before
  std::size_t names = 1;  ///< on the certificate
};

/// A limit of the other side on writes.
struct WriteLimit {
  runtime::Allowance allowance;
  std::string words;  ///< for people: "990 writes an hour at Fastly"
};

/// One [target.NAME] of the config, read and not opened.
class TargetSection {
 public:
  virtual ~TargetSection() = default;

  /// What it takes, whatever the other side will say.
  virtual Acceptance accepts() const = 0;

  /// Variables of our environment that hold its secrets.
  virtual std::set<std::string> secret_variables() const { return {}; }

  /// Where what it installs is served; empty: where the DNS leads.
  virtual std::vector<Edge> edges() const { return {}; }

  /// How many writes the other side allows; nothing: as many as one likes. May read the secret that
  /// tells whose allowance it is. Errors: misconfigured.
  virtual Result<std::optional<WriteLimit>> limit() const { return std::nullopt; }
  /// How many writes of that limit an installation takes until it is served, and how many when it
  /// is cleaned up after, too.
  virtual int writes(const Installing&) const { return 0; }
  virtual int writes_in_all(const Installing&) const { return 0; }

  /// Makes the target, and asks nobody. May block on the disk. Errors: misconfigured.
  virtual Result<std::unique_ptr<Target>> open(const Surroundings& surroundings) const = 0;
};

/// The values of `type` under [target.NAME].
std::vector<std::string> target_types();

/// Reads a section of that type; relative paths are relative to `folder`. What is wrong is a fault
/// of the section. Null when there is no such type.
std::shared_ptr<const TargetSection> read_target(std::string_view type, config::Section& section,
                                                 const std::filesystem::path& folder);

}  // namespace certherd::deploy
