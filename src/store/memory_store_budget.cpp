#include "store/budget_rules.hpp"
#include "store/memory_store_class.hpp"

namespace certherd::store {

Level MemoryStore::level_of(const std::string& name) const {
  const auto found = budgets_.find(name);
  return found == budgets_.end() ? Level() : found->second;
}

Task<Result<Time>> MemoryStore::take(runtime::Allowance allowance, double units, Time latest) {
  const Time now = clock_.now();
  const Time before = level_of(allowance.name).full_at;
  const auto spending = spend(allowance, before, units, now);
  const Time after =
      spending.from <= latest ? spending.full_at : believed(allowance, before, units, now);
  if (after != before) budgets_[allowance.name].full_at = after;
  co_return spending.from;
}

Task<Status> MemoryStore::settle(runtime::Allowance allowance, double left, Time until) {
  const Time before = level_of(allowance.name).full_at;
  const Time after = policy::settle_window(before, left, until, allowance.burst, allowance.window);
  if (after != before) budgets_[allowance.name].full_at = after;
  co_return Status();
}

Task<Result<Time>> MemoryStore::taken_until(runtime::Allowance allowance) {
  co_return level_of(allowance.name).full_at;
}

Task<Result<Room>> MemoryStore::take_all(std::vector<Demand> demands) {
  std::vector<Level> levels;
  levels.reserve(demands.size());
  for (const auto& demand : demands) levels.push_back(level_of(demand.allowance.name));
  const auto before = levels;
  const auto room = take_room(demands, levels, clock_.now());
  for (std::size_t i = 0; i < demands.size(); ++i) {
    if (!keeps(room, demands[i], before[i], levels[i])) continue;
    budgets_[demands[i].allowance.name].full_at = levels[i].full_at;
  }
  co_return room;
}

Task<Status> MemoryStore::amend_allowances(std::vector<Amendment> amendments) {
  for (const auto& amendment : amendments) {
    const auto& name = amendment.allowance.name;
    if (const auto level = amended(level_of(name), amendment, clock_.now())) {
      budgets_[name] = *level;
    }
  }
  co_return Status();
}

Task<Result<std::map<std::string, Level>>> MemoryStore::levels() {
  co_return std::map<std::string, Level>(budgets_.begin(), budgets_.end());
}

}  // namespace certherd::store
