#include "dns/responder/zone_data.hpp"

#include <algorithm>
#include <utility>

#include "dns/responder/wire.hpp"

namespace certherd::dns::responder {

ZoneData::ZoneData(Fqdn apex, std::uint32_t serial)
    : apex_(std::move(apex)), wire_apex_(encode_name(apex_)), serial_(serial) {}

bool ZoneData::holds(std::string_view name) const {
  // Label by label, since the octets of a label may look like the length of another.
  while (name.size() > wire_apex_.size()) {
    name.remove_prefix(static_cast<std::uint8_t>(name.front()) + std::size_t{1});
  }
  return name == wire_apex_;
}

bool ZoneData::add(const std::string& name, TxtValue value) {
  const auto found = nodes_.find(name);
  if (found != nodes_.end() && std::ranges::count(found->second.values, value) != 0) return false;
  count_upwards(name, 1);
  nodes_[name].values.push_back(std::move(value));
  ++value_count_;
  return true;
}

bool ZoneData::remove(const std::string& name, const TxtValue& value) {
  const auto found = nodes_.find(name);
  if (found == nodes_.end() || std::erase(found->second.values, value) == 0) return false;
  count_upwards(name, -1);
  --value_count_;
  return true;
}

const std::vector<TxtValue>& ZoneData::values(const std::string& name) const {
  static const std::vector<TxtValue> none;
  const auto found = nodes_.find(name);
  return found == nodes_.end() ? none : found->second.values;
}

void ZoneData::count_upwards(std::string_view name, int change) {
  while (name.size() >= wire_apex_.size()) {
    const auto node = nodes_.try_emplace(std::string(name)).first;
    node->second.reasons += static_cast<std::size_t>(change);
    if (node->second.reasons == 0) nodes_.erase(node);
    if (name.size() == wire_apex_.size()) return;
    name.remove_prefix(static_cast<std::uint8_t>(name.front()) + std::size_t{1});
  }
}

}  // namespace certherd::dns::responder
