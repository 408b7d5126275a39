#pragma once

#include <fmt/format.h>
#include <soci/soci.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"

namespace certherd::store {

/// A column that may be NULL, for soci::use and soci::into. Integers are long long throughout:
/// SOCI reads 64 bits only into that.
template <typename T>
struct Nullable {
  T value{};
  soci::indicator state = soci::i_null;

  bool is_null() const { return state == soci::i_null; }
};

inline Nullable<long long> to_column(std::optional<Time> time) {
  return time ? Nullable<long long>{to_micros(*time), soci::i_ok} : Nullable<long long>{};
}

inline std::optional<Time> to_time(const Nullable<long long>& column) {
  if (column.is_null()) return std::nullopt;
  return from_micros(column.value);
}

/// What a column holds that does not parse, such as "row 7 of issuance: step: ...".
inline tl::unexpected<Error> bad_row(std::string_view table, long long id, std::string_view column,
                                     std::string_view why) {
  return fail(Error::Kind::rejected, fmt::format("row {} of {}", id, table),
              fmt::format("{}: {}", column, why));
}

/// Runs an INSERT … RETURNING id. Read to its end, since SQLite holds the write lock until then.
inline long long insert_returning(soci::statement& insert, const long long& id) {
  long long given = 0;
  for (bool row = insert.execute(true); row; row = insert.fetch()) given = id;
  return given;
}

/// Executes a query and gives what `row()` makes of each of its rows. It is read to its end also
/// behind one that does not parse: until then SQLite goes on reading for it. Errors: the first of
/// row().
template <typename T, typename Row>
Result<std::vector<T>> all_rows(soci::statement& query, const Row& row) {
  std::vector<T> rows;
  Status status;
  query.execute();
  while (query.fetch()) {
    if (!status) continue;
    Result<T> one = row();
    if (one) {
      rows.push_back(std::move(*one));
    } else {
      status = fail(std::move(one.error()));
    }
  }
  if (!status) return fail(std::move(status.error()));
  return rows;
}

}  // namespace certherd::store
