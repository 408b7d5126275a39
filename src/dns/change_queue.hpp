#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "dns/provider.hpp"
#include "model/txt_record.hpp"
#include "runtime/wakeup.hpp"

namespace certherd::dns {

/// One caller's wish, and what has become of it. Shared by the caller and the changes that it
/// waits for: either may go first.
struct ChangeRequest {
  explicit ChangeRequest(runtime::EventLoop& loop) : done(loop) {}

  std::size_t outstanding = 0;  ///< changes without an answer
  Ticket ticket;                ///< of the latest batch that carried one of its changes
  std::optional<Error> error;
  bool superseded = false;  ///< a removal that was given up since the value is wanted again
  bool abandoned = false;   ///< the batcher was stopped
  runtime::Wakeup done;

  bool over() const { return outstanding == 0 || abandoned; }

  /// Each tells the fate of one change and wakes the caller after the last.
  void succeed(const Ticket& batch);
  void fail(Error reason);
  void supersede();
  void abandon();

 private:
  void answer_one();
};

/// A value at a name, the same for everybody who wants it.
using ChangeKey = std::pair<Fqdn, TxtValue>;

/// A change on its way, with everybody who waits for it.
struct QueuedChange {
  TxtChange change;
  std::uint64_t position = 0;  ///< in its queue; kept when it is sent again
  std::uint64_t group = 0;     ///< changes of one call, kept together where a batch holds them
  /// By runtime::steady_now(). It need not go before this: others may come to travel with it.
  Time due;
  int attempts = 0;
  std::vector<TxtRecord> unrecorded;  ///< what the ledger must hold before it is sent
  std::vector<std::shared_ptr<ChangeRequest>> requests;

  ChangeKey key() const { return {change.name, change.value}; }
};

/// Changes in the order in which they came, each value once: who wants a value that is queued
/// already joins the change that carries it.
class ChangeQueue {
 public:
  void add(QueuedChange change);

  /// Gives back what was taken, at its old place.
  void restore(QueuedChange change);

  /// Moves the first changes to `batch` until it has as many as `limits` let it have. Those of one
  /// call are left together for the next batch when this one cannot hold them all, unless they are
  /// the first in the queue.
  void take(BatchLimits limits, std::vector<QueuedChange>& batch);

  std::optional<QueuedChange> extract(const ChangeKey& key);
  std::vector<QueuedChange> take_all();

  bool contains(const ChangeKey& key) const { return positions_.contains(key); }
  void add_keys(std::set<ChangeKey>& keys) const;
  bool empty() const { return changes_.empty(); }
  /// When the first of them is due; not to be asked when there is none.
  Time due() const;

 private:
  std::map<std::uint64_t, QueuedChange> changes_;
  std::map<ChangeKey, std::uint64_t> positions_;
  std::uint64_t next_position_ = 1;
};

}  // namespace certherd::dns
