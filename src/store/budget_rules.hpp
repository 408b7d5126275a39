#pragma once

#include <optional>
#include <vector>

#include "policy/gcra.hpp"
#include "store/allowances.hpp"

/// How the levels of allowances change, whatever a store keeps them in. Pure.
namespace certherd::store {

policy::Spending spend(const runtime::Allowance& allowance, Time full_at, double units, Time now);

/// Whether there is room for all demands. `levels` are those of their allowances, in their order;
/// where there is room, the level of each demand that takes its unit is the new one afterwards, and
/// the others are not to be kept.
Room take_room(const std::vector<Demand>& demands, std::vector<Level>& levels, Time now);

/// The level after an amendment; nothing where it stays as it is.
std::optional<Level> amended(Level level, const Amendment& amendment, Time now);

}  // namespace certherd::store
