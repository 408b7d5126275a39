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
  auto& domain = domains_[id];
  std::vector<Watched> kept;
  for (auto& endpoint : endpoints_of(row.domain, ports_)) {
    if (std::ranges::find(kept, endpoint, &Watched::endpoint) != kept.end()) continue;
    const auto known = std::ranges::find(domain.endpoints, endpoint, &Watched::endpoint);
    if (known != domain.endpoints.end()) {
      kept.push_back(std::move(*known));
      continue;
    }
    const auto after =
        std::chrono::duration_cast<Duration>(std::chrono::duration<double, std::micro>(
            static_cast<double>(spread.count()) * ports_.random->fraction()));
    auto& watched = kept.emplace_back();
    watched.number = ++last_number_;
    watched.endpoint = std::move(endpoint);
    look_at(id, watched, now() + after);
  }
  domain.endpoints = std::move(kept);
  if (domain.endpoints.empty()) domain.sighting.looked_at = true;
}

void Observer::forget(DomainId domain) { domains_.erase(domain); }

Observer::Watched* Observer::find(const Place& place) {
  const auto domain = domains_.find(place.first);
  if (domain == domains_.end()) return nullptr;
  auto& endpoints = domain->second.endpoints;
  const auto watched = std::ranges::find(endpoints, place.second, &Watched::number);
  return watched == endpoints.end() ? nullptr : &*watched;
}

const AlarmWatch::Sighting* Observer::seen(DomainId domain) const {
  const auto found = domains_.find(domain);
  return found == domains_.end() ? nullptr : &found->second.sighting;
}

void Observer::look_again(DomainId id) {
  if (const auto domain = domains_.find(id); domain != domains_.end()) {
    for (auto& watched : domain->second.endpoints) {
      watched.looked_at = false;
      watched.again = watched.looking;
      hurry(id, watched);
    }
    domain->second.sighting = {};
  }
  seen_anew_.insert(id);
}

void Observer::hurry(DomainId domain, Watched& watched) {
  if (!watched.looking) look_at(domain, watched, now());
}

void Observer::look_at(DomainId domain, Watched& watched, Time when) {
  watched.next = when;
  due_.add(when, {domain, watched.number});
  changed_.notify_all();
}

const DueQueue<Observer::Place>::Entry* Observer::first_due() {
  return due_.first([this](const auto& entry) {
    const auto* watched = find(entry.second);
    return watched != nullptr && !watched->looking && watched->next == entry.first;
  });
}

Task<void> Observer::run() {
  while (true) {
    for (const auto* due = first_due(); due == nullptr || due->first > now(); due = first_due()) {
      co_await changed_.wait_until(due == nullptr ? Time::max() : due->first);
    }
    co_await ports_.clock().sleep_for(gather);
    std::vector<Place> places;
    for (const auto* due = first_due(); due != nullptr && due->first <= now(); due = first_due()) {
      if (places.size() == most_at_once) break;
      find(due->second)->looking = true;
      places.push_back(due->second);
    }
    co_await look(std::move(places));
  }
}

Task<void> Observer::look(std::vector<Place> places) {
  std::vector<ScanSubject> subjects;
  std::set<DomainId> domains;
  std::vector<Scan::Row> rows;
  for (const auto& place : places) {
    auto row = inventory_.share(place.first);
    subjects.push_back({.endpoint = find(place)->endpoint, .domain = row->domain.name});
    if (domains.insert(place.first).second) rows.push_back(std::move(row));
  }
  Scan::Options options;
  options.timeout = options_.timeout;
  options.warn_before = options_.warn_before;
  options.count_domains = false;
  Scan scan(ports_, options);
  auto findings = co_await scan.run(std::move(subjects), std::move(rows));

  std::vector<Event> events;
  for (std::size_t i = 0; i < places.size(); ++i) {
    auto* watched = find(places[i]);
    if (watched == nullptr) continue;
    const auto id = places[i].first;
    const bool again = std::exchange(watched->again, false);
    watched->looking = false;
    look_at(id, *watched, again ? now() : now() + options_.every);
    if (findings && !again) note(id, *watched, std::move((*findings)[i]), &events);
  }
  if (!findings) log::warning("looking at endpoints: {}", findings.error().message());
  if (events.empty()) co_return;
  auto written = co_await ports_.store->append(std::move(events));
  if (!written) log::warning("looking at endpoints: {}", written.error().message());
}

void Observer::note(DomainId id, Watched& watched, Finding finding, std::vector<Event>* events) {
  auto state = state_of(finding);
  const auto before = std::exchange(watched.state, state);
  const bool is_news = before.empty() ? state != "ok" : before != state;
  if (is_news) {
    Event event{.at = now(),
                .domain = inventory_.find(id)->domain.name,
                .event = "endpoint.changed",
                .detail = {{"endpoint", watched.endpoint.text()}, {"state", std::move(state)}}};
    if (!before.empty()) event.detail["before"] = before;
    if (finding.leaf) event.detail["serial"] = finding.leaf->serial.text();
    if (finding.error) event.detail["error"] = finding.error->message();
    events->push_back(std::move(event));
  }
  watched.looked_at = true;
  auto& [endpoints, sighting] = domains_.at(id);
  const bool all = std::ranges::all_of(endpoints, &Watched::looked_at);
  const auto known = std::ranges::find(sighting.seen, watched.endpoint, &policy::Seen::endpoint);
  const bool was_seen = known != sighting.seen.end();
  const auto& leaf = finding.leaf;
  const bool same = !leaf || (was_seen && known->fingerprint == leaf->fingerprint);
  if (!same || all != sighting.looked_at) seen_anew_.insert(id);
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

}  // namespace certherd::fleet
