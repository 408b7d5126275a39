#pragma once

#include <functional>

#include "runtime/wakeup.hpp"
#include "sim/process.hpp"
#include "sim/world.hpp"

namespace certherd::sim {

/// The processes of the program in a world, one after another: each that is killed or drained has
/// a successor.
class Life {
 public:
  /// `begins` is called before each process, `killed` at each kill.
  Life(World& world, std::function<void()> begins, std::function<void()> killed);

  /// Lives until that moment; the last process is drained then. What a process throws, and an end
  /// that nobody wanted, is thrown.
  Task<void> live_until(Time when);

  /// The present process ends orderly, as after Ctrl-C.
  void drain();
  /// The same, and none comes after it.
  void end();

 private:
  Task<void> live_once(Time until);
  Task<void> work(Process* process);

  World& world_;
  std::function<void()> begins_;
  std::function<void()> killed_by_;
  runtime::Wakeup changed_;
  Process* process_ = nullptr;
  bool killed_ = false;
  bool drained_ = false;
  bool over_ = false;
  bool ended_ = false;
  Status status_;
};

}  // namespace certherd::sim
