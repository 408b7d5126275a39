#pragma once

#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

#include "store/store.hpp"

namespace certherd::fleet {

/// The inventory in memory, as it was read last: the store is only asked for what has changed, so
/// that a round over a large fleet costs what has happened in it. Used on the loop.
class Inventory {
 public:
  struct Gone {
    DomainId id{};
    Fqdn name;
  };
  /// How it differs from what it was before.
  struct News {
    std::vector<DomainId> changed;  ///< also those that are new
    std::vector<Gone> gone;
  };

  explicit Inventory(store::Store& store) : store_(store) {}

  /// Reads what has changed; at first, and after another process has written, everything. Errors:
  /// the store's; nothing has changed then.
  Task<Result<News>> read();

  /// Null when there is none; stays as it is until the next read().
  const store::DomainRow* find(DomainId id) const;
  const store::DomainRow* find(const Fqdn& name) const;
  /// The same, for who goes on looking at it while others read(); it must be there.
  std::shared_ptr<const store::DomainRow> share(DomainId id) const { return rows_.at(id); }
  /// All of them, by name.
  std::vector<DomainId> all() const;

 private:
  store::Store& store_;
  store::Mark mark_;
  std::unordered_map<DomainId, std::shared_ptr<const store::DomainRow>> rows_;
  std::map<Fqdn, DomainId> ids_;
};

}  // namespace certherd::fleet
