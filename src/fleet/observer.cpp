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

Observer::Observer(Ports& ports, Options options)
    : ports_(ports), options_(options), changed_(*ports.loop) {}

void Observer::review(const std::vector<store::DomainRow>& rows,
                      const std::set<DomainId>& at_work) {
  std::map<DomainId, store::DomainRow> current;
  std::map<Place, Watched> watched;
  const auto spread = std::min(options_.every, first_look_within);
  for (const auto& row : rows) {
    if (!row.domain.enabled) continue;
    // An issuance that waits changes nothing: what is served then is worth to be told.
    if (!row.working && at_work.contains(row.domain.id)) seen_[row.domain.id] = {};
    auto endpoints = endpoints_of(row.domain, ports_);
    if (endpoints.empty()) seen_[row.domain.id].looked_at = true;
    for (auto& endpoint : endpoints) {
      Place place{row.domain.id, endpoint.text()};
      auto known = watched_.extract(place);
      if (!known.empty()) {
        watched.insert(std::move(known));
        continue;
      }
      const auto after =
          std::chrono::duration_cast<Duration>(std::chrono::duration<double, std::micro>(
              static_cast<double>(spread.count()) * ports_.random->fraction()));
      due_.emplace(now() + after, place);
      watched.emplace(std::move(place),
                      Watched{.endpoint = std::move(endpoint), .next = now() + after});
    }
    current.emplace(row.domain.id, row);
  }
  // What is left in there is gone from the inventory.
  for (const auto& [place, gone] : watched_) due_.erase({gone.next, place});
  watched_ = std::move(watched);
  rows_ = std::move(current);
  std::erase_if(seen_, [this](const auto& entry) { return !rows_.contains(entry.first); });
  changed_.notify_all();
}

void Observer::look_again(DomainId domain) {
  for (auto it = watched_.lower_bound({domain, {}}); it != watched_.end(); ++it) {
    auto& [place, watched] = *it;
    if (place.first != domain) break;
    watched.looked_at = false;
    watched.again = watched.looking;
    if (watched.looking) continue;
    due_.erase({watched.next, place});
    watched.next = now();
    due_.emplace(watched.next, place);
  }
  if (const auto sighting = seen_.find(domain); sighting != seen_.end()) sighting->second = {};
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
  std::map<DomainId, store::DomainRow> rows;
  std::vector<store::DomainRow> of_them;
  for (auto& place : places) {
    const auto& row = rows_.at(place.first);
    auto& watched = watched_.at(place);
    watched.looking = true;
    subjects.push_back({.endpoint = watched.endpoint, .domain = row.domain.name});
    if (rows.emplace(place.first, row).second) of_them.push_back(row);
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
                .domain = rows_.at(place.first).domain.name,
                .event = "endpoint.changed",
                .detail = {{"endpoint", place.second}, {"state", std::move(state)}}};
    if (!before.empty()) event.detail["before"] = before;
    if (finding.leaf) event.detail["serial"] = finding.leaf->serial.text();
    if (finding.error) event.detail["error"] = finding.error->message();
    events->push_back(std::move(event));
  }
  watched.looked_at = true;
  auto& sighting = seen_[place.first];
  sighting.looked_at = looked_at(place.first);
  if (!finding.leaf) return;
  std::erase_if(sighting.seen,
                [&](const policy::Seen& one) { return one.endpoint.text() == place.second; });
  sighting.seen.push_back({.endpoint = std::move(finding.endpoint),
                           .serial = finding.leaf->serial,
                           .fingerprint = finding.leaf->fingerprint,
                           .issuer = finding.leaf->issuer,
                           .not_before = finding.leaf->not_before,
                           .not_after = finding.leaf->not_after});
}

bool Observer::looked_at(DomainId domain) const {
  for (auto it = watched_.lower_bound({domain, {}}); it != watched_.end(); ++it) {
    if (it->first.first != domain) break;
    if (!it->second.looked_at) return false;
  }
  return true;
}

}  // namespace certherd::fleet
