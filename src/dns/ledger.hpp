#pragma once

#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "model/txt_record.hpp"
#include "runtime/task.hpp"

namespace certherd::dns {

/// Where every value that we write stands before it is sent, and until it is surely gone.
/// Implemented by the store.
class Ledger {
 public:
  virtual ~Ledger() = default;

  /// Durable when it returns. Entries that are there already are kept, as recorded now.
  virtual Task<Status> record(std::vector<TxtRecord> records) = 0;

  /// Drops entries whose values are confirmed gone, and that were last recorded by `until`.
  virtual Task<Status> forget(std::vector<TxtRecord> records, Time until) = 0;

  /// Entries of this section that no active issuance needs any more: to be removed. A value that
  /// another issuance still needs at the same name is not among them.
  virtual Task<Result<std::vector<TxtRecord>>> unneeded(DnsName dns) = 0;

  /// All entries of this section.
  virtual Task<Result<std::vector<TxtRecord>>> entries(DnsName dns) = 0;
};

}  // namespace certherd::dns
