#pragma once

#include "runtime/task_group.hpp"
#include "sim/promises.hpp"
#include "sim/world.hpp"

namespace certherd::sim {

/// What goes wrong by chance, each kind at its own pace: outside systems are away, domains lapse,
/// move, get CAA records or a CDN's CNAME where their challenge belongs, people change the
/// inventory, the machine is suspended, and its clock is wrong. Everything is mended after a while.
class Mishaps {
 public:
  Mishaps(World& world, Promises& promises) : world_(world), promises_(promises) {}

  /// Goes on until it is cancelled.
  Task<void> run();

  int outages() const { return outages_; }
  int broken_sites() const { return broken_sites_; }
  int changes() const { return changes_; }
  int freezes() const { return freezes_; }
  int wrong_clocks() const { return wrong_clocks_; }

 private:
  enum class Kind { lapsed, caa, cname, moved };

  Task<void> break_lines();
  Task<void> break_sites();
  Task<void> break_one(std::size_t index, Kind kind, Duration span);
  Task<void> change_inventory();
  Task<void> freeze();
  Task<void> set_clock();
  Duration between(Duration least, Duration most);
  Task<Status> change(std::size_t index, std::function<void(Domain&)> edit);

  World& world_;
  Promises& promises_;
  int outages_ = 0;
  int broken_sites_ = 0;
  int changes_ = 0;
  int freezes_ = 0;
  int wrong_clocks_ = 0;
};

}  // namespace certherd::sim
