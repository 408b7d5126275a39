#pragma once

#include <string>
#include <vector>

#include "app/inventory_file.hpp"
#include "store/store.hpp"

namespace certherd::app {

/// One column that is to say something else.
struct ColumnChange {
  std::string column;
  std::string from;  ///< empty: said nothing
  std::string to;    ///< empty: cleared
};

/// One domain and what changes of it.
struct DomainChange {
  Domain after;  ///< id and revision as read from the store
  std::vector<ColumnChange> columns;
};

/// Whether a change may make a CA or another domain object: of names or of the CA.
bool concerns_names(const DomainChange& change);

/// What columns say differently afterwards, by their names.
std::vector<ColumnChange> difference(const Domain& before, const Domain& after);

/// The event of a change: each column with what it said and says, "web → ops".
Event change_event(const DomainChange& change, Time now);

/// What makes the inventory equal to a file.
struct SyncPlan {
  std::vector<Domain> added;
  std::vector<DomainChange> changed;
  std::vector<DomainChange> disabled;  ///< missing in the file, with `prune`
  std::vector<Fqdn> stay_disabled;     ///< in the file, which does not say that they are enabled
  std::size_t unchanged = 0;
  std::size_t before = 0;  ///< domains in the inventory

  bool empty() const { return added.empty() && touched() == 0; }
  /// Additions hurt nobody, so they do not count.
  std::size_t touched() const { return changed.size() + disabled.size(); }
  /// How many may be touched without a word: a tenth of the inventory, and one in any case.
  std::size_t allowance() const;
};

/// Compares them. Columns that a row does not have stay as they are.
SyncPlan plan_sync(const std::vector<store::DomainRow>& inventory,
                   const std::vector<InventoryRow>& file, bool prune);

/// What is to be written for it.
store::InventoryChange to_change(const SyncPlan& plan, Time now);

}  // namespace certherd::app
