#pragma once

#include <map>

#include "dns/change_batcher.hpp"
#include "dns/provider.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/wakeup.hpp"

namespace certherd::dns {

/// Asks a provider how its batches fare, as seldom as serves: each question costs one of the few
/// calls that an account has. Used on the loop.
class BatchWatch {
 public:
  BatchWatch(runtime::EventLoop& loop, Provider& provider) : loop_(loop), provider_(provider) {
    next_turn_ = loop.clock().now() + turn;
  }

  /// As ChangeBatcher::spreading().
  Task<Result<ChangeBatcher::Spreading>> look(Ticket ticket);

 private:
  struct Batch {
    bool in_sync = false;
    bool asking = false;
    int asked = 0;  ///< answers so far
    Time ask_at;
  };
  // A batch that nobody has asked for during a whole turn is forgotten.
  static constexpr Duration turn = std::chrono::hours(1);

  Batch& batch(const Ticket& ticket);
  void learn(const Batch& batch);

  runtime::EventLoop& loop_;
  Provider& provider_;
  // How long after the name servers that we can see show a change the whole host is in sync: so
  // that about nine of ten first questions are answered by yes, and none comes much too late.
  Duration experience_{0};
  std::map<Ticket, Batch> batches_;
  std::map<Ticket, Batch> former_batches_;
  Time next_turn_;
};

}  // namespace certherd::dns
