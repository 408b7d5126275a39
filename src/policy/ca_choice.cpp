#include "policy/ca_choice.hpp"

#include <algorithm>
#include <utility>

namespace certherd::policy {

std::vector<CaName> cas_by_turn(std::vector<CaName> cas, int failures, int failover_after) {
  if (cas.empty()) return cas;
  const auto turn = (failures / failover_after) % static_cast<int>(cas.size());
  std::ranges::rotate(cas, cas.begin() + turn);
  return cas;
}

}  // namespace certherd::policy
