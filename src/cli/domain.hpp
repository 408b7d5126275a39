#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "app/inventory_sync.hpp"
#include "cli/context.hpp"

namespace certherd::cli {

// The subcommands of `domain`, in the files of their names (domain_add.cpp and so on): they add
// themselves to `domain`.
void add_domain_add(CLI::App& domain, Context& context);
void add_domain_import(CLI::App& domain, Context& context);
void add_domain_discover(CLI::App& domain, Context& context);
void add_domain_list(CLI::App& domain, Context& context);
void add_domain_show(CLI::App& domain, Context& context);
void add_domain_set(CLI::App& domain, Context& context);
void add_domain_sync(CLI::App& domain, Context& context);
void add_domain_export(CLI::App& domain, Context& context);
void add_domain_remove(CLI::App& domain, Context& context);

// What they share.

/// The K=V of a command line. Errors: misconfigured, for what is of another form or given twice.
Result<app::Columns> settings_from(const std::vector<std::string>& texts);

/// Reads an inventory file (`-`: standard input) and holds it against the config. Errors:
/// misconfigured, naming each bad row.
Task<Result<app::InventoryFile>> read_inventory(app::App* app, Context context, std::string path);

/// Logs what is doubtful about domains that are about to be added or changed, at most the first
/// 50, and returns all of it. `inventory` is what the store holds before that.
boost::json::array warn_about(const app::App& app, const std::vector<store::DomainRow>& inventory,
                              const std::vector<Domain>& changed);

/// ROW: all columns, also those that say nothing, so that a sync with it clears what came since.
boost::json::object row_json(const Domain& domain);

/// {COLUMN: {"from", "to"}}.
boost::json::object columns_json(const std::vector<app::ColumnChange>& columns);

/// `owner: "web" → "ops", team: "7" → ""`.
std::string columns_text(const std::vector<app::ColumnChange>& columns);

/// "1 domain", "2 domains".
std::string domains_text(std::size_t count);

/// Writes a change of the inventory, and shows that it is at it when that takes longer.
Task<Status> write_inventory(app::App* app, Context context, store::InventoryChange change);

}  // namespace certherd::cli
