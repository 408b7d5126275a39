#pragma once

#include <map>
#include <optional>

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

  /// The provider has taken that batch now.
  void begin(const Ticket& ticket) { batch(ticket); }

  /// As ChangeBatcher::spreading().
  Task<Result<ChangeBatcher::Spreading>> look(Ticket ticket);

 private:
  struct Batch {
    bool in_sync = false;
    bool asking = false;
    int asked = 0;               ///< answers so far
    Time taken_at;               ///< by the provider; of an earlier process: when we first heard
    std::optional<Time> ask_at;  ///< none until the first one came to ask
  };
  // A batch that nobody has asked for during a whole turn is forgotten.
  static constexpr Duration turn = std::chrono::hours(1);

  Batch& batch(const Ticket& ticket);
  void learn(const Batch& batch);

  runtime::EventLoop& loop_;
  Provider& provider_;
  // How much longer than the name servers that we see the whole host takes for a change, as a share
  // of the time that these have taken: so that about ten of eleven first questions are answered by
  // yes, and none comes much too late.
  double experience_ = 0;
  std::map<Ticket, Batch> batches_;
  std::map<Ticket, Batch> former_batches_;
  Time next_turn_;
};

}  // namespace certherd::dns
