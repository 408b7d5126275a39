#include "dns/route53/known_zones.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "dns/route53/names.hpp"

namespace certherd::dns::route53 {
namespace {

constexpr std::string_view behind_all_keys = "\x7f";

// The least key behind this one.
std::string just_behind(std::string key) { return std::move(key) + '\0'; }

struct Entry {
  std::string key;
  Fqdn name;
  ZoneId id;
  bool is_private = false;
};

// Zones whose name is no Fqdn hold no name that is one.
std::vector<Entry> entries_of(const ZonePage& page) {
  std::vector<Entry> entries;
  for (const auto& zone : page.zones) {
    auto name = read_name(zone.name);
    if (!name) continue;
    auto key = order_key(*name);
    entries.push_back({std::move(key), std::move(*name), zone.id, zone.is_private});
  }
  return entries;
}

// The suffix of a name that has so many labels.
Fqdn last_labels(const Fqdn& name, std::size_t count) {
  auto suffix = name;
  for (auto labels = std::ranges::count(name.text(), '.') + 1;
       labels > static_cast<std::ptrdiff_t>(count); --labels) {
    suffix = suffix.parent();
  }
  return suffix;
}

}  // namespace

void KnownZones::learn(const Fqdn& from, const ZonePage& page) {
  const auto begin = order_key(from);
  const auto entries = entries_of(page);
  const bool in_order = std::ranges::is_sorted(entries, {}, &Entry::key) &&
                        (entries.empty() || entries.front().key >= begin);

  Stretch stretch{.end = std::string(behind_all_keys), .end_name = {}};
  if (page.truncated) {
    // How an odd name is sorted is not told: then the page is good up to its last plain name.
    const auto next = read_name(page.next_name);
    stretch.end = next              ? order_key(*next)
                  : entries.empty() ? begin
                                    : just_behind(entries.back().key);
    if (next) stretch.end_name = *next;
  }
  // What is not sorted as it should be tells only about the name that was asked for.
  const bool whole_account = from.empty() && !page.truncated;
  if ((!in_order && !whole_account) || stretch.end <= begin) {
    stretch = Stretch{.end = just_behind(begin), .end_name = {}};
  }

  for (const auto& entry : entries) {
    if (entry.is_private || entry.key < begin || entry.key >= stretch.end) continue;
    auto& ids = zones_[entry.name];
    if (std::ranges::find(ids, entry.id) == ids.end()) ids.push_back(entry.id);
  }
  cover(begin, std::move(stretch));
}

KnownZones::Answer KnownZones::holding(const Fqdn& name) const {
  const auto host = name.without_wildcard();
  const auto labels = static_cast<std::size_t>(std::ranges::count(host.text(), '.')) + 1;
  Answer answer;
  Fqdn longest;
  for (std::size_t count = 2; count <= labels; ++count) {
    const auto suffix = last_labels(host, count);
    if (!covers(suffix)) {
      answer.ask = suffix;
      return answer;
    }
    if (zones_.contains(suffix)) longest = suffix;
  }
  if (longest.empty()) {
    longest = last_labels(host, 1);
    if (!covers(longest)) {
      answer.ask = longest;
      return answer;
    }
  }

  answer.complete = true;
  if (const auto found = zones_.find(longest); found != zones_.end()) {
    for (const auto& id : found->second) answer.zones.push_back({.id = id, .name = longest});
  }
  return answer;
}

Fqdn KnownZones::end_of_stretch_before(const Fqdn& name) const {
  const auto after = stretches_.upper_bound(order_key(name));
  return after == stretches_.begin() ? Fqdn() : std::prev(after)->second.end_name;
}

bool KnownZones::covers(const Fqdn& name) const {
  const auto key = order_key(name);
  const auto after = stretches_.upper_bound(key);
  return after != stretches_.begin() && key < std::prev(after)->second.end;
}

bool KnownZones::has(const ZoneId& id) const {
  return std::ranges::any_of(zones_, [&id](const auto& zone) {
    return std::ranges::find(zone.second, id) != zone.second.end();
  });
}

void KnownZones::clear() {
  stretches_.clear();
  zones_.clear();
}

void KnownZones::cover(std::string begin, Stretch stretch) {
  auto next = stretches_.upper_bound(begin);
  if (next != stretches_.begin() && std::prev(next)->second.end >= begin) {
    --next;
    begin = next->first;
  }
  while (next != stretches_.end() && next->first <= stretch.end) {
    if (next->second.end > stretch.end) stretch = next->second;
    next = stretches_.erase(next);
  }
  stretches_.insert_or_assign(std::move(begin), std::move(stretch));
}

}  // namespace certherd::dns::route53
