#pragma once

#include <optional>
#include <vector>

#include "policy/gcra.hpp"
#include "store/allowances.hpp"

/// How the levels of allowances change, whatever a store keeps them in. Pure.
namespace certherd::store {

policy::Spending spend(const runtime::Allowance& allowance, Time full_at, double units, Time now);

/// policy::believed(), of either kind of allowance.
Time believed(const runtime::Allowance& allowance, Time full_at, double units, Time now);

/// Whether there is room for all demands. `levels` are those of their allowances, in their order;
/// afterwards they are those of which keeps() says whether they are to be kept.
Room take_room(const std::vector<Demand>& demands, std::vector<Level>& levels, Time now);

/// Whether the level after take_room() takes the place of the one `before`: its unit was taken, or
/// the one before was not believed.
bool keeps(const Room& room, const Demand& demand, const Level& before, const Level& after);

/// The level after an amendment; nothing where it stays as it is.
std::optional<Level> amended(Level level, const Amendment& amendment, Time now);

}  // namespace certherd::store
