#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "model/domain.hpp"

namespace certherd::app {

/// The largest inventory file, in octets: several hundred thousand domains with their metadata.
constexpr std::size_t inventory_limit = 256U << 20U;

/// One row of an inventory: column name to text.
using InventoryRow = std::map<std::string, std::string>;

/// The domain that a row describes. Columns: domain (required), zone_id, names, ca, dns, vault,
/// targets, key, profile, endpoints, owner, enabled; lists are separated by spaces; every other
/// column is metadata. Errors: misconfigured; each cause is one column that is wrong, its op the
/// column.
Result<Domain> domain_of(const InventoryRow& row);

/// Reads an inventory: CSV (RFC 4180) whose first row names the columns, or JSON lines when the
/// first character is a brace. All or nothing: the error is misconfigured with a cause for each
/// bad row, its op "line N"; a domain named twice is a bad row too. At most 256 MiB.
Result<std::vector<Domain>> read_inventory(std::string_view text);

}  // namespace certherd::app
