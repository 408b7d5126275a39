#include "sim/route53_zones.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "dns/route53/txt_value.hpp"

namespace certherd::sim {
namespace {

using dns::route53::unquote;

constexpr std::size_t longest_value = 4000;
constexpr std::size_t most_values = 400;

// What stood there before is of no more interest once so much later changes stand.
constexpr std::size_t longest_history = 64;

bool holds(const std::vector<std::string>& values, const TxtValue& value) {
  return std::ranges::any_of(values, [&](const auto& text) { return unquote(text) == value; });
}

std::vector<std::string> sorted(std::vector<std::string> values) {
  std::ranges::sort(values);
  return values;
}

}  // namespace

std::string Route53Zones::reversed(const std::string& spelled) {
  std::string key;
  std::string_view rest = spelled;
  if (rest.ends_with('.')) rest.remove_suffix(1);
  while (!rest.empty()) {
    const auto dot = rest.rfind('.');
    key.append(dot == std::string_view::npos ? rest : rest.substr(dot + 1)).append(".");
    rest = dot == std::string_view::npos ? std::string_view() : rest.substr(0, dot);
  }
  return key;
}

Route53Zones::Key Route53Zones::key_of(const Route53Set& set) {
  return {reversed(set.name), set.type, set.identifier};
}

void Route53Zones::add(HostedZone zone) {
  const auto id = zone.id;
  auto [added, is_new] =
      zones_.emplace(id, Zone{.zone = std::move(zone), .sets = {}, .history = {}});
  if (!is_new) throw std::logic_error("two hosted zones with the id " + id);
  const auto& own = added->second.zone;
  by_name_.emplace(std::pair(reversed(own.name.text()), id), &own);
  for (const auto* type : {"NS", "SOA"}) {
    put(id, {.name = own.name.text() + ".", .type = type, .ttl = 900, .values = own.name_servers});
  }
}

void Route53Zones::remove(const std::string& id) {
  const auto* zone = find(id);
  if (zone == nullptr) throw std::logic_error("no hosted zone has the id " + id);
  by_name_.erase({reversed(zone->name.text()), id});
  zones_.erase(id);
}

const HostedZone* Route53Zones::find(const std::string& id) const {
  const auto zone = zones_.find(id);
  return zone == zones_.end() ? nullptr : &zone->second.zone;
}

void Route53Zones::put(const std::string& zone, Route53Set set) {
  auto& own = zones_.at(zone);
  if (set.type == "TXT") {
    auto& history = own.history[set.name];
    history.clear();
    history.push_back({.schedule = {}, .values = set.values});
  }
  auto key = key_of(set);
  own.sets.insert_or_assign(std::move(key), std::move(set));
}

/// A batch on its way into a zone: what it changes stands beside the zone until all of it is good.
class Route53Zones::Batch {
 public:
  explicit Batch(Zone* zone) : zone_(*zone) {}

  void add(const Route53Change& change) {
    const auto& set = change.set;
    if (!is_in_zone(set)) {
      object("RRSet with DNS name {} is not permitted in zone {}.", set.name, zone_.zone.name);
    } else if (values_are_good(set) && is_once(change)) {
      if (change.action != "DELETE") create(change);
      if (change.action == "DELETE") remove(set);
    }
  }

  const std::vector<std::string>& messages() const { return messages_; }

  void commit(const Route53Schedule& schedule) {
    std::map<std::string, std::vector<std::string>> texts;
    for (auto& [key, set] : changed_) {
      if (set && set->type == "TXT") texts[set->name] = set->values;
      if (!set && key.type == "TXT") texts.try_emplace(zone_.sets.at(key).name);
      if (set) {
        zone_.sets.insert_or_assign(key, std::move(*set));
      } else {
        zone_.sets.erase(key);
      }
    }
    for (auto& [name, values] : texts) {
      auto& history = zone_.history[name];
      history.push_back({.schedule = schedule, .values = std::move(values)});
      if (history.size() > longest_history) history.pop_front();
    }
  }

 private:
  template <typename... Parts>
  void object(fmt::format_string<Parts...> words, Parts&&... parts) {
    messages_.push_back(fmt::format(words, std::forward<Parts>(parts)...));
  }

  bool is_in_zone(const Route53Set& set) const {
    const auto apex = zone_.zone.name.text() + ".";
    return set.name == apex || set.name.ends_with("." + apex);
  }

  bool values_are_good(const Route53Set& set) {
    if (set.type != "TXT") return true;
    const auto before = messages_.size();
    if (set.values.empty() || set.values.size() > most_values) {
      object("RRSet of type TXT with DNS name {} has {} values, 1 to {} are permitted", set.name,
             set.values.size(), most_values);
    }
    if (std::set(set.values.begin(), set.values.end()).size() != set.values.size()) {
      object("Duplicate Resource Record: RRSet of type TXT with DNS name {}", set.name);
    }
    for (const auto& value : set.values) {
      if (!unquote(value)) {
        object(
            "Invalid Resource Record: 'FATAL problem: InvalidCharacterString (Value should be "
            "enclosed in quotation marks) encountered with '{}''",
            value);
      } else if (value.size() > longest_value) {
        object(
            "Invalid Resource Record: 'FATAL problem: CharacterStringTooLong (Value is too "
            "long) encountered with '{:.20}''",
            value);
      }
    }
    return messages_.size() == before;
  }

  // One set may be deleted and then created in one batch, and nothing else be done to it twice.
  bool is_once(const Route53Change& change) {
    auto& done = done_[key_of(change.set)];
    const bool good = done.empty() || (done == "DELETE" && change.action == "CREATE");
    done = done.empty() ? change.action : "DELETE, CREATE";
    if (!good) {
      object("The request contains an invalid set of changes for a resource record set '{} {}'",
             change.set.type, change.set.name);
    }
    return good;
  }

  const Route53Set* standing(const Key& key) const {
    if (const auto changed = changed_.find(key); changed != changed_.end()) {
      return changed->second ? &*changed->second : nullptr;
    }
    const auto own = zone_.sets.find(key);
    return own == zone_.sets.end() ? nullptr : &own->second;
  }

  // Any set of that name and type, also one with an identifier.
  bool stands(const std::string& name, const std::string& type) const {
    const Key first{reversed(name), type, ""};
    const auto own = zone_.sets.lower_bound(first);
    const bool there = own != zone_.sets.end() && own->first.reversed_name == first.reversed_name &&
                       own->first.type == type;
    return there && (!changed_.contains(own->first) || changed_.at(own->first));
  }

  void create(const Route53Change& change) {
    const auto& set = change.set;
    const auto key = key_of(set);
    if (set.type == "TXT" && stands(set.name, "CNAME")) {
      object(
          "RRSet of type TXT with DNS name {} is not permitted because a conflicting RRSet of "
          "type CNAME with the same DNS name already exists in zone {}.",
          set.name, zone_.zone.name);
    } else if (change.action == "CREATE" && (standing(key) != nullptr || routed(key))) {
      object("Tried to create resource record set [name='{}', type='{}'] but it already exists",
             set.name, set.type);
    } else {
      changed_[key] = set;
    }
  }

  // A set without an identifier cannot stand beside one with.
  bool routed(const Key& key) const {
    const auto own = zone_.sets.lower_bound(key);
    return own != zone_.sets.end() && own->first.reversed_name == key.reversed_name &&
           own->first.type == key.type && own->first.identifier != key.identifier;
  }

  void remove(const Route53Set& set) {
    const auto key = key_of(set);
    const auto* there = standing(key);
    if (there == nullptr) {
      object("Tried to delete resource record set [name='{}', type='{}'] but it was not found",
             set.name, set.type);
    } else if (there->ttl != set.ttl || sorted(there->values) != sorted(set.values)) {
      object(
          "Tried to delete resource record set [name='{}', type='{}'] but the values provided "
          "do not match the current values",
          set.name, set.type);
    } else {
      changed_[key] = std::nullopt;
    }
  }

  Zone& zone_;
  std::map<Key, std::optional<Route53Set>> changed_;
  std::map<Key, std::string> done_;
  std::vector<std::string> messages_;
};

std::vector<std::string> Route53Zones::change(const std::string& zone,
                                              const std::vector<Route53Change>& batch,
                                              const Route53Schedule& schedule) {
  Batch changes(&zones_.at(zone));
  for (const auto& change : batch) changes.add(change);
  if (changes.messages().empty()) changes.commit(schedule);
  return changes.messages();
}

std::vector<Route53Set> Route53Zones::sets(const std::string& zone, const std::string& name,
                                           const std::string& type, std::size_t most) const {
  const auto& own = zones_.at(zone).sets;
  std::vector<Route53Set> found;
  for (auto set = own.lower_bound(Key{reversed(name), type, ""});
       set != own.end() && found.size() < most; ++set) {
    found.push_back(set->second);
  }
  return found;
}

const Route53Set* Route53Zones::set(const std::string& zone, const std::string& name,
                                    const std::string& type) const {
  const auto& own = zones_.at(zone).sets;
  const auto set = own.find(Key{reversed(name), type, ""});
  return set == own.end() ? nullptr : &set->second;
}

const Route53Zones::Zone* Route53Zones::serving(const Fqdn& name) const {
  for (auto apex = name; !apex.empty(); apex = apex.parent()) {
    const auto key = reversed(apex.text());
    for (auto zone = by_name_.lower_bound({key, ""});
         zone != by_name_.end() && zone->first.first == key; ++zone) {
      if (!zone->second->is_private) return &zones_.at(zone->first.second);
    }
  }
  return nullptr;
}

bool Route53Zones::shows(const Fqdn& name, const TxtValue& value, std::size_t server,
                         Time now) const {
  const auto* zone = serving(name);
  if (zone == nullptr) return false;
  const auto found = zone->history.find(name.text() + ".");
  if (found == zone->history.end()) return false;
  // The last change that has arrived there, even when one before it has not.
  const auto& versions = found->second;
  const auto seen = std::find_if(versions.rbegin(), versions.rend(), [&](const Version& version) {
    return version.schedule.shown_at.at(server) <= now;
  });
  return seen != versions.rend() && holds(seen->values, value);
}

std::optional<Time> Route53Zones::shown_everywhere_from(const Fqdn& name,
                                                        const TxtValue& value) const {
  const auto* zone = serving(name);
  if (zone == nullptr) return std::nullopt;
  const auto found = zone->history.find(name.text() + ".");
  if (found == zone->history.end()) return std::nullopt;
  // By any of the last changes that all have the value in common.
  std::optional<std::array<Time, Route53Schedule::servers>> moments;
  for (auto version = found->second.rbegin(); version != found->second.rend(); ++version) {
    if (!holds(version->values, value)) break;
    if (!moments) moments = version->schedule.shown_at;
    for (std::size_t server = 0; server < Route53Schedule::servers; ++server) {
      moments->at(server) = std::min(moments->at(server), version->schedule.shown_at.at(server));
    }
  }
  if (!moments) return std::nullopt;
  return std::ranges::max(*moments);
}

std::vector<Route53Zones::TxtValueThere> Route53Zones::txt_values() const {
  std::vector<TxtValueThere> there;
  for (const auto& [id, zone] : zones_) {
    for (const auto& [key, set] : zone.sets) {
      if (set.type != "TXT") continue;
      for (const auto& value : set.values) {
        there.push_back({.zone = id, .name = set.name, .value = value});
      }
    }
  }
  return there;
}

std::size_t Route53Zones::txt_value_count() const { return txt_values().size(); }

}  // namespace certherd::sim
