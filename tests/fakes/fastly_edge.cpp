#include "fakes/fastly_edge.hpp"

#include <utility>

namespace certherd::fakes::fastly {

void Edge::publish(const std::string& name, std::optional<Served> served, Time live) {
  changes_[name].push_back({.live = live, .served = std::move(served)});
}

std::optional<Served> Edge::decided(const std::string& name) const {
  const auto found = changes_.find(name);
  return found == changes_.end() ? std::nullopt : found->second.back().served;
}

std::optional<Served> Edge::served(const std::string& server_name, Time now) const {
  if (auto exact = at(server_name, now)) return exact;
  const auto dot = server_name.find('.');
  if (dot == std::string::npos) return std::nullopt;
  return at("*" + server_name.substr(dot), now);
}

std::optional<Served> Edge::at(const std::string& name, Time now) const {
  const auto found = changes_.find(name);
  if (found == changes_.end()) return std::nullopt;
  const auto& changes = found->second;
  for (auto change = changes.rbegin(); change != changes.rend(); ++change) {
    if (change->live <= now) return change->served;
  }
  return std::nullopt;
}

}  // namespace certherd::fakes::fastly
