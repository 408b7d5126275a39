#pragma once

#include <functional>
#include <string>
#include <unordered_map>

#include "model/fqdn.hpp"

namespace certherd::sim {

struct HashOfName {
  std::size_t operator()(const Fqdn& name) const { return std::hash<std::string>()(name.text()); }
};

/// What is looked up by name and never gone through: its order is nobody's. A tree of names that
/// begin alike, as those of a simulated fleet do, takes ten times as long.
template <typename T>
using ByName = std::unordered_map<Fqdn, T, HashOfName>;

}  // namespace certherd::sim
