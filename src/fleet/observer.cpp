#include "fleet/observer.hpp"

#include <fmt/ranges.h>

#include <algorithm>

#include "base/log.hpp"

namespace certherd::fleet {
namespace {

// Those that come new, as all do at the start, are spread over this time.
constexpr Duration first_look_within = std::chrono::minutes(5);
// What is due is gathered for a moment, so that vaults and store are asked once for many.
constexpr Duration gather = std::chrono::seconds(1);
constexpr std::size_t most_at_once = 1024;

/// What a person would call another state, in a few words: "ok", "expired", "ok, former".
std::string state_of(const Finding& finding) {
  std::string state(policy::to_string(finding.status));
  for (const auto& drift : finding.drift) {
    if (drift.kind == policy::Drift::Kind::rolling_out) continue;
    state += fmt::format(", {}", policy::to_string(drift.kind));
  }
  return state;
}

}  // namespace

Observer::Observer(Ports& ports, const Inventory& inventory, Options options,
                   std::function<void()> told)
    : ports_(ports),
      inventory_(inventory),
      options_(options),
      told_(std::move(told)),
      changed_(*ports.loop) {}

void Observer::review(const store::DomainRow& row) {
  const auto id = row.domain.id;
  if (!row.domain.enabled) return forget(id);
  const auto spread = std::min(options_.every, first_look_within);
  auto endpoints = endpoints_of(row.domain, ports_);
  std::set<std::string> kept;
  for (auto& endpoint : endpoints) {
    Place place{id, endpoint.text()};
    kept.insert(place.second);
    if (const auto known = watched_.find(place); known != watched_.end()) {
      // A clock that was ahead and is set right must not put it off for as long.
      if (known->second.next > now() + options_.every) hurry(known->first, known->second);
      continue;
    }
    const auto after =
        std::chrono::duration_cast<Duration>(std::chrono::duration<double, std::micro>(
            static_cast<double>(spread.count()) * ports_.random->fraction()));
    due_.emplace(now() + after, place);
    watched_.emplace(std::move(place),
                     Watched{.endpoint = std::move(endpoint), .next = now() + after});
    changed_.notify_all();
  }
  drop(id, kept);
  auto& sighting = seen_[id];
  if (kept.empty()) sighting.looked_at = true;
}

void Observer::forget(DomainId domain) {
  drop(domain, {});
  seen_.erase(domain);
}

/// Looks no more at endpoints of a domain that are not among these.
void Observer::drop(DomainId domain, const std::set<std::string>& kept) {
  auto it = watched_.lower_bound({domain, {}});
  while (it != watched_.end() && it->first.first == domain) {
    if (kept.contains(it->first.second)) {
      ++it;
      continue;
    }
    due_.erase({it->second.next, it->first});
    it = watched_.erase(it);
  }
}

const AlarmWatch::Sighting* Observer::seen(DomainId domain) const {
  const auto found = seen_.find(domain);
  return found == seen_.end() ? nullptr : &found->second;
}

void Observer::look_again(DomainId domain) {
  for (auto it = watched_.lower_bound({domain, {}}); it != watched_.end(); ++it) {
    auto& [place, watched] = *it;
    if (place.first != domain) break;
    watched.looked_at = false;
    watched.again = watched.looking;
    hurry(place, watched);
  }
  if (const auto sighting = seen_.find(domain); sighting != seen_.end()) sighting->second = {};
  seen_anew_.insert(domain);
  changed_.notify_all();
}

void Observer::hurry(const Place& place, Watched& watched) {
  if (watched.looking) return;
  due_.erase({watched.next, place});
  watched.next = now();
  due_.emplace(watched.next, place);
  changed_.notify_all();
}

Task<void> Observer::run() {
  while (true) {
    while (due_.empty() || due_.begin()->first > now()) {
      co_await changed_.wait_until(due_.empty() ? Time::max() : due_.begin()->first);
    }
    co_await ports_.clock().sleep_for(gather);
    std::vector<Place> places;
    while (!due_.empty() && due_.begin()->first <= now() && places.size() < most_at_once) {
      places.push_back(due_.begin()->second);
      due_.erase(due_.begin());
    }
    co_await look(std::move(places));
  }
}

Task<void> Observer::look(std::vector<Place> places) {
  std::vector<ScanSubject> subjects;
  std::set<DomainId> domains;
  std::vector<store::DomainRow> of_them;
  for (auto& place : places) {
    auto& watched = watched_.at(place);
    watched.looking = true;
    const auto* row = inventory_.find(place.first);
    subjects.push_back({.endpoint = watched.endpoint, .domain = row->domain.name});
    if (domains.insert(place.first).second) of_them.push_back(*row);
  }
  Scan::Options options;
  options.timeout = options_.timeout;
  options.warn_before = options_.warn_before;
  Scan scan(ports_, options);
  auto findings = co_await scan.run(std::move(subjects), std::move(of_them));

  std::vector<Event> events;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const auto watched = watched_.find(places[i]);
    if (watched == watched_.end()) continue;
    const bool again = std::exchange(watched->second.again, false);
    watched->second.looking = false;
    watched->second.next = again ? now() : now() + options_.every;
    due_.emplace(watched->second.next, places[i]);
    if (findings && !again) note(places[i], std::move((*findings)[i]), &events);
  }
  if (!findings) log::warning("looking at endpoints: {}", findings.error().message());
  if (events.empty()) co_return;
  auto written = co_await ports_.store->append(std::move(events));
  if (!written) log::warning("looking at endpoints: {}", written.error().message());
}

void Observer::note(const Place& place, Finding finding, std::vector<Event>* events) {
  auto& watched = watched_.at(place);
  auto state = state_of(finding);
  const auto before = std::exchange(watched.state, state);
  const bool is_news = before.empty() ? state != "ok" : before != state;
  if (is_news) {
    Event event{.at = now(),
                .domain = inventory_.find(place.first)->domain.name,
                .event = "endpoint.changed",
                .detail = {{"endpoint", place.second}, {"state", std::move(state)}}};
    if (!before.empty()) event.detail["before"] = before;
    if (finding.leaf) event.detail["serial"] = finding.leaf->serial.text();
    if (finding.error) event.detail["error"] = finding.error->message();
    events->push_back(std::move(event));
  }
  watched.looked_at = true;
  auto& sighting = seen_[place.first];
  const bool all = looked_at(place.first);
  const auto known = std::ranges::find_if(
      sighting.seen, [&](const policy::Seen& one) { return one.endpoint.text() == place.second; });
  const bool was_seen = known != sighting.seen.end();
  const auto& leaf = finding.leaf;
  const bool same = !leaf || (was_seen && known->fingerprint == leaf->fingerprint);
  if (!same || all != sighting.looked_at) seen_anew_.insert(place.first);
  if (is_news) told_();
  sighting.looked_at = all;
  if (same) return;
  if (was_seen) sighting.seen.erase(known);
  sighting.seen.push_back({.endpoint = std::move(finding.endpoint),
                           .serial = leaf->serial,
                           .fingerprint = leaf->fingerprint,
                           .issuer = leaf->issuer,
                           .not_before = leaf->not_before,
                           .not_after = leaf->not_after});
}

bool Observer::looked_at(DomainId domain) const {
  for (auto it = watched_.lower_bound({domain, {}}); it != watched_.end(); ++it) {
    if (it->first.first != domain) break;
    if (!it->second.looked_at) return false;
  }
  return true;
}

}  // namespace certherd::fleet
