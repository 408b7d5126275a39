#pragma once

#include <memory>
#include <vector>

#include "base/result.hpp"
#include "dns/ledger.hpp"
#include "dns/provider.hpp"
#include "model/txt_record.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/task.hpp"

namespace certherd::dns {

/// Stands between the fleet and one DNS section: gathers the changes of many issuances per zone
/// into few calls. At most one request of a zone is unanswered at any time; while it is, further
/// changes gather. Values are in the ledger before they are sent and leave it when the provider has
/// taken their removal. Removals travel with the next additions of their zone, or alone once they
/// have waited long enough. Owned by app, used on the loop.
class ChangeBatcher {
 public:
  struct Options {
    DnsName dns;
    /// How long the first change of a batch waits for company.
    Duration gather = std::chrono::milliseconds(20);
    /// How long a removal of sweep_in_passing() waits for company.
    Duration linger = std::chrono::seconds(30);
    /// For how long a write may come true whose sender got no answer, such as a process that was
    /// killed: until then its entry stays in the ledger, also when the value is not to be seen.
    Duration late{};
    /// After PriorRequestNotComplete-like throttling a zone's gap doubles between these.
    Duration min_gap = std::chrono::seconds(1);
    Duration max_gap = std::chrono::seconds(30);
  };

  ChangeBatcher(runtime::EventLoop& loop, Provider& provider, Ledger& ledger, Options options);
  ~ChangeBatcher();

  /// Makes the values stand: returns with the ticket of the batch once the provider took it.
  /// All records are of one zone. Errors: the provider's; those of the changes that it names.
  Task<Result<Ticket>> ensure(Zone zone, std::vector<TxtRecord> records);

  /// How a batch fares on its way to all servers of the host.
  struct Spreading {
    ChangeState state = ChangeState::pending;
    Time look_again;  ///< when it is pending: asking before that gives the same answer
  };

  /// To be asked once the name servers show what the batch has brought: they cost nothing, and the
  /// provider's word does. It is asked once for all who wait for the batch, some time after the
  /// first of them came, as experience with this host says, and then slower and slower.
  /// Errors: the provider's.
  Task<Result<Spreading>> spreading(Ticket ticket);

  /// Removes what the ledger calls unneeded and forgets it when the provider has taken that, or
  /// has no such zone any more.
  /// Values that stay because the provider failed are tried by the next sweep. Errors: the first.
  Task<Status> sweep();

  /// The same, but the removals wait a while for changes that they can travel with.
  Task<Status> sweep_in_passing();

  /// Ends the senders; call before the provider goes. Unsent changes end with a cancellation.
  Task<void> stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace certherd::dns
