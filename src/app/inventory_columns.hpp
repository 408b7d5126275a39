#pragma once

#include <array>
#include <map>
#include <string>
#include <string_view>

#include "model/domain.hpp"

namespace certherd::app {

/// Columns of the inventory by name, as texts: one row of a file, or the K=V of a command line.
using Columns = std::map<std::string, std::string>;

/// The columns that mean something to the program; every other one is metadata.
constexpr std::array<std::string_view, 14> known_columns = {
    "domain", "zone_id", "names",     "ca",    "dns",     "vault", "targets",
    "key",    "profile", "endpoints", "owner", "enabled", "hold",  "window"};

/// Why this cannot be the name of a column; empty when it can.
std::string column_name_fault(std::string_view column);

/// The known column that a piece of metadata was most likely meant for, as "endpoint" for
/// "endpoints"; empty when there is none.
std::string_view meant_column(std::string_view metadata);

/// A new domain of these columns; `domain` is required, lists are separated by spaces. Errors:
/// misconfigured; each cause is one column that is wrong, its op the column.
Result<Domain> domain_of(const Columns& columns);

/// `domain` with these columns in place of what it has; an empty text clears, and what is not
/// given stays. Its name cannot be changed. Errors: as above.
Result<Domain> with_columns(Domain domain, const Columns& columns);

/// What the columns of a domain say; one that says nothing is left out. domain_of() makes the
/// same domain of them.
Columns columns_of(const Domain& domain);

}  // namespace certherd::app
