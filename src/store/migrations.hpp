#pragma once

#include <soci/soci.h>

#include <span>
#include <string_view>

#include "base/result.hpp"
#include "base/time.hpp"
#include "store/dialect.hpp"
#include "store/session.hpp"

namespace certherd::store {

/// One step from a schema to the next: src/store/migrations/NNNN_*.sql, part of the program.
struct Migration {
  int number;
  std::string_view sql;
};

/// By number, without gaps from 1 on.
std::span<const Migration> migrations();

/// What this program calls itself; stands beside each schema version that it made.
std::string_view program_version();

/// Brings the schema to the newest version that this program knows; safe when several
/// processes do it at the same time. Errors: misconfigured (a newer schema, or a database that
/// is somebody else's). Throws soci::soci_error.
Status migrate(const Dialect& dialect, Session& sql, Time now);

/// Changes nothing. Errors: misconfigured unless the schema is the newest one. Throws
/// soci::soci_error.
Status check_schema(const Dialect& dialect, Session& sql);

}  // namespace certherd::store
