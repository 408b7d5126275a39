#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "runtime/offload.hpp"
#include "runtime/task.hpp"
#include "store/session.hpp"
#include "store/sessions.hpp"

namespace certherd::store {

/// Commits all writes that are queued at one moment in one transaction, so that one sync to the
/// disk serves them all. Each write keeps to itself: one that fails takes back only what it wrote.
/// Owned by the store, used on the loop; the work runs on `offload`, which must run one piece of
/// work at a time.
class GroupCommit {
 public:
  /// Writes with the given session, inside a transaction that is open already. May run on another
  /// thread, and may fail: nothing that it wrote remains then. Must own all that it refers to.
  using Work = std::function<Status(Session&)>;

  GroupCommit(std::shared_ptr<Sessions> sessions, runtime::Offload& offload);

  /// Returns when the work has been committed, and is durable, or has failed. When the
  /// transaction as a whole fails, all its writes get that error. A caller that is cancelled
  /// meanwhile still gets its result; one that was cancelled before has written nothing.
  ///
  /// `then` (may be empty) runs on the writer's thread before the return, also when nobody waits
  /// any more, once others can read what was written; and likewise when it is not known whether
  /// they can, since the commit has failed.
  Task<Status> write(std::string op, Work work, std::function<void()> then = {});

 private:
  struct Item;
  struct Place;
  class Queue;

  std::shared_ptr<Queue> queue_;  // shared with the work on the offload, which may end last
  runtime::Offload& offload_;
};

}  // namespace certherd::store
