#pragma once

#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "base/problem.hpp"
#include "base/time.hpp"

namespace certherd {

/// Why something expected to fail now and then did fail. `kind` tells the program what to do
/// next, everything else tells a person.
struct Error {
  /// The closed list of docs/output.md.
  enum class Kind {
    transient,      ///< try again soon: timeouts, 5xx, a connection that broke
    throttled,      ///< a limit was met: try again at retry_at
    denied,         ///< credentials or rights are missing
    not_found,      ///< the thing is not there
    conflict,       ///< somebody else changed it first, or it is there already
    rejected,       ///< the other side will not have it; the same call will fail again
    misconfigured,  ///< our own settings or input are wrong
    deadline,       ///< it took longer than it may
  };

  Kind kind = Kind::transient;
  std::string op;      ///< what was being done, outermost first: "finalize: POST https://…"
  std::string detail;  ///< one sentence that a person can act on
  std::optional<Time> retry_at;
  std::shared_ptr<const Problem> problem;  ///< shared: errors are copied, problems are not
  std::vector<Error> causes;               ///< one per part that failed, such as per name server

  /// The same error with `step` in front of its op.
  Error during(std::string_view step) &&;
  Error during(std::string_view step) const&;

  /// "op: detail", then the problem's own words and each cause: one line for logs and tables.
  std::string message() const;

  bool operator==(const Error& other) const;
};

/// A value, or why there is none.
template <typename T>
using Result = tl::expected<T, Error>;

using Status = Result<void>;

/// `return fail(Error::Kind::rejected, "parse order", "status is missing")`.
inline tl::unexpected<Error> fail(Error::Kind kind, std::string op, std::string detail) {
  Error error;
  error.kind = kind;
  error.op = std::move(op);
  error.detail = std::move(detail);
  return tl::unexpected<Error>(std::move(error));
}

inline tl::unexpected<Error> fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

/// The word of docs/output.md for a kind, such as "not_found".
std::string_view to_string(Error::Kind kind);

/// The kind of that name; nothing for any other text.
std::optional<Error::Kind> parse_error_kind(std::string_view text);

}  // namespace certherd
