#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/time.hpp"
#include "model/fqdn.hpp"
#include "model/identifiers.hpp"

namespace certherd::sim {

struct HostedZone {
  std::string id;  ///< without "/hostedzone/"
  Fqdn name;
  bool is_private = false;
  std::vector<std::string> name_servers;
};

/// One record set, spelled as Route 53 spells it.
struct Route53Set {
  std::string name;  ///< lower case, with a trailing dot
  std::string type;
  std::string identifier{};  ///< SetIdentifier, of a set with a routing policy
  bool alias = false;
  std::uint32_t ttl = 60;
  std::vector<std::string> values{};
};

/// An element Change.
struct Route53Change {
  std::string action;
  Route53Set set;
};

/// When a change stands where.
struct Route53Schedule {
  static constexpr std::size_t servers = 4;
  std::string id;
  Time in_sync_at;
  std::array<Time, servers> shown_at{};
};

/// The hosted zones of an account with what stands in them: changed by whole batches or not at all,
/// by the rules of ChangeResourceRecordSets, and told in Route 53's order. Each zone's name servers
/// show a change later, each at its own moment.
class Route53Zones {
 public:
  void add(HostedZone zone);
  void remove(const std::string& id);
  const HostedZone* find(const std::string& id) const;

  using ByName = std::map<std::pair<std::string, std::string>, const HostedZone*>;

  /// All zones by name, labels in reverse, and id.
  const ByName& by_name() const { return by_name_; }

  /// Puts a set there, or replaces it, as if it had always stood there.
  void put(const std::string& zone, Route53Set set);

  /// What is wrong with a batch, one message for each fault; when none, it has been carried out.
  std::vector<std::string> change(const std::string& zone, const std::vector<Route53Change>& batch,
                                  const Route53Schedule& schedule);

  /// From the set of that name and type on, or behind it.
  std::vector<Route53Set> sets(const std::string& zone, const std::string& name,
                               const std::string& type, std::size_t most) const;
  const Route53Set* set(const std::string& zone, const std::string& name,
                        const std::string& type) const;

  /// Whether one of the zone's name servers shows a value now: that of the longest public zone.
  bool shows(const Fqdn& name, const TxtValue& value, std::size_t server, Time now) const;

  /// The moment from which every name server shows a value; nothing when no change sets it.
  std::optional<Time> shown_everywhere_from(const Fqdn& name, const TxtValue& value) const;

  struct TxtValueThere {
    std::string zone;
    std::string name;   ///< with a trailing dot
    std::string value;  ///< in its quotes
  };
  /// All TXT values that stand in all zones.
  std::vector<TxtValueThere> txt_values() const;
  /// How many there are.
  std::size_t txt_value_count() const;

  /// By what Route 53 sorts a name: its labels in reverse, each with a dot.
  static std::string reversed(const std::string& spelled);

 private:
  struct Key {
    std::string reversed_name;
    std::string type;
    std::string identifier;
    auto operator<=>(const Key&) const = default;
  };
  /// What stood at a TXT name from a change on.
  struct Version {
    Route53Schedule schedule;
    std::vector<std::string> values;
  };
  struct Zone {
    HostedZone zone;
    std::map<Key, Route53Set> sets;
    std::map<std::string, std::deque<Version>> history;  // by name
  };
  class Batch;

  const Zone* serving(const Fqdn& name) const;
  static Key key_of(const Route53Set& set);

  std::map<std::string, Zone> zones_;  // by id
  ByName by_name_;
};

}  // namespace certherd::sim
