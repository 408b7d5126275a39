#pragma once

#include <memory>

#include "runtime/event_loop.hpp"

namespace certherd::runtime {

/// A loop for simulations whose clock stands still while anything is ready to run and then jumps to
/// the earliest alarm; alarms of one moment go off in the order in which they were set. So a
/// year passes in seconds, the same for the same inputs. A loop with no alarm left while its
/// main task waits throws std::logic_error: that wait would never end.
/// Sockets and threads do not belong on it.
class VirtualLoop : public EventLoop {
 public:
  /// So much time passes in which nothing runs, as while a machine is suspended, or when its clock
  /// is set ahead: alarms of meanwhile go off late.
  virtual void freeze(Duration duration) = 0;
};

std::unique_ptr<VirtualLoop> make_virtual_loop(Time start);

}  // namespace certherd::runtime
