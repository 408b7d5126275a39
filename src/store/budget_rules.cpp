#include "store/budget_rules.hpp"

#include "policy/backoff.hpp"

namespace certherd::store {

policy::Spending spend(const runtime::Allowance& allowance, Time full_at, double units, Time now) {
  if (allowance.window > Duration::zero()) {
    return policy::spend_in_windows(full_at, units, allowance.burst, allowance.window, now);
  }
  return policy::spend(full_at, units, allowance.per_second, allowance.burst, now);
}

Time believed(const runtime::Allowance& allowance, Time full_at, double units, Time now) {
  if (allowance.window > Duration::zero()) {
    return policy::believed_in_windows(full_at, allowance.window, now);
  }
  return policy::believed(full_at, units, allowance.per_second, allowance.burst, now);
}

Room take_room(const std::vector<Demand>& demands, std::vector<Level>& levels, Time now) {
  Room room{.now = true, .from = now};
  for (std::size_t i = 0; i < demands.size(); ++i) {
    const auto& allowance = demands[i].allowance;
    auto& level = levels[i];
    // What the other side has closed is whole long after that.
    const Time opens = policy::must_wait(level.closed_until, now) ? level.closed_until : now;
    level.full_at = believed(allowance, level.full_at, 1 + demands[i].kept, opens);
    level.full_at =
        policy::settle_late(level.full_at, demands[i].uncounted, allowance.per_second, now);
    const Time from = policy::free_from(level.full_at, level.closed_until, 1 + demands[i].kept,
                                        allowance.per_second, allowance.burst, now);
    if (from <= room.from) continue;
    room = {.now = false, .from = from, .last = i};
  }
  if (!room.now) return room;
  for (std::size_t i = 0; i < demands.size(); ++i) {
    if (!demands[i].taken) continue;
    levels[i].full_at = spend(demands[i].allowance, levels[i].full_at, 1, now).full_at;
  }
  return room;
}

bool keeps(const Room& room, const Demand& demand, const Level& before, const Level& after) {
  return (room.now && demand.taken) || after.full_at < before.full_at;
}

std::optional<Level> amended(Level level, const Amendment& amendment, Time now) {
  const auto& allowance = amendment.allowance;
  switch (amendment.kind) {
    case Amendment::Kind::spend: {
      const auto spending =
          policy::spend(level.full_at, 1, allowance.per_second, allowance.burst, now);
      if (spending.from > now) return std::nullopt;
      level.full_at = spending.full_at;
      break;
    }
    case Amendment::Kind::give_back:
      level.full_at = policy::give_back(level.full_at, 1, allowance.per_second);
      break;
    case Amendment::Kind::refill:
      if (level.full_at <= now) return std::nullopt;
      level.full_at = now;
      break;
    case Amendment::Kind::counted:
      level.full_at =
          policy::settle_late(level.full_at, 1 + amendment.others, allowance.per_second, now);
      break;
    case Amendment::Kind::close:
      level.full_at = policy::settle_closed(level.full_at, amendment.until, allowance.per_second,
                                            allowance.burst);
      level.closed_until = amendment.until;
      break;
  }
  return level;
}

}  // namespace certherd::store
