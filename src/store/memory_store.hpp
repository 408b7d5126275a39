#pragma once

#include <cstddef>
#include <limits>
#include <memory>

#include "store/store.hpp"

namespace certherd::store {

struct MemoryStoreOptions {
  static constexpr auto all = std::numeric_limits<std::size_t>::max();

  /// So many of the newest events are kept. Their numbers go on.
  std::size_t keep_events = all;
  /// So many former certificates of each domain are kept, and so many of its issuances that are
  /// over; besides those whose revocation is not confirmed. What is dropped is as if it had never
  /// been, but a commit to a dropped issuance is a conflict. Note that chain_of() and
  /// unknown_orders() look at issuances that are over.
  std::size_t keep_former = all;
};

/// A store for simulations: a fleet of 100,000 domains over a year within a minute and 1 GiB.
///
/// Promises what Store promises to one process: the same lists in the same order, the same
/// revisions and conflicts, all of a write or nothing, and errors of the same kinds in the same
/// words. Does not promise that anything outlives the object: nothing is durable. No call suspends
/// or fails for want of a disk; texts are kept as they are given, and so no row fails to parse.
/// Where SQL refuses a row that refers to an unknown domain, the kind is the same, not the words.
///
/// Used on the loop.
std::unique_ptr<Store> make_memory_store(runtime::Clock& clock, MemoryStoreOptions options = {});

}  // namespace certherd::store
