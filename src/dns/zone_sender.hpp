#pragma once

#include <set>
#include <vector>

#include "dns/change_batcher.hpp"
#include "dns/change_queue.hpp"
#include "dns/ledger.hpp"
#include "dns/provider.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/task.hpp"
#include "runtime/wakeup.hpp"

namespace certherd::dns {

/// Sends the changes of one zone, one request at a time. Runs while there are any.
class ZoneSender {
 public:
  ZoneSender(Zone zone, runtime::EventLoop* loop, Provider* provider, Ledger* ledger,
             const ChangeBatcher::Options* options);

  /// Queue a change; run() must be running or be started. Ensuring a value takes back a removal
  /// of it that has not been sent; never queue the removal of a value that is being ensured.
  void ensure(QueuedChange change);
  void remove(QueuedChange change);

  /// Adds what is being ensured right now: queued or sent.
  void add_wanted(std::set<ChangeKey>& keys) const;

  Task<void> run();
  bool running() const { return running_; }
  void mark_running() { running_ = true; }

  /// Ends everybody's wait with a cancellation.
  void abandon();

  const Zone& zone() const { return zone_; }
  void learn_name(const Fqdn& name) { zone_.name = name; }

 private:
  Time due() const;
  Task<void> send_batch();
  void fill_batch();
  Task<bool> record_batch();
  void succeed(const Ticket& ticket);
  void handle(const Error& error);
  void slow_down(const Error& error);
  void send_again();
  void retry_or_fail(const Error& error);
  /// Nothing is sent for so long at least, nor before `until`.
  void pause(Duration least, std::optional<Time> until);
  void reject(const Error& error);
  bool reject_named(const Error& error);
  bool split();
  void put_back(QueuedChange change);

  Zone zone_;
  runtime::EventLoop* loop_;
  Provider* provider_;
  Ledger* ledger_;
  const ChangeBatcher::Options* options_;

  ChangeQueue additions_;
  ChangeQueue removals_;
  std::vector<QueuedChange> batch_;  // sent and unanswered
  Duration gap_{0};                  // between two requests; grows when throttled
  Time not_before_;                  // by runtime::steady_now()
  std::size_t most_;  // changes of the next batch, while one is sought that spoils the others
  bool running_ = false;
  runtime::Wakeup changed_;
};

}  // namespace certherd::dns
