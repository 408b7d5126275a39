#pragma once

#include "sim/world.hpp"

namespace certherd::sim {

/// One process of the program: the service with all that dies with it, which begins anew within the
/// process when its clock was set back. Ends by drain(), or is
/// killed by cancelling run(): then everything it held is lost, and the store and the world go on.
class Process {
 public:
  explicit Process(World& world);
  ~Process();

  /// Errors: the store's, or a lost lease.
  Task<Status> run();
  /// Once run() has ended or was cancelled.
  Task<void> stop();
  void drain();

 private:
  struct Parts;

  void begin();

  World& world_;
  bool begin_anew_ = false;
  bool draining_ = false;
  std::unique_ptr<Parts> parts_;
};

}  // namespace certherd::sim
