#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string_view>

#include "model/certificate.hpp"
#include "model/request.hpp"

namespace certherd::fleet {

enum class Outcome {
  issued,    ///< a new certificate, seen through to the last step
  current,   ///< nothing was due
  deferred,  ///< put off: a limit, or the pause after an earlier failure, is not over
  failed,
};

/// The word for it in results: that of the enumerator.
std::string_view to_string(Outcome outcome);

/// How it went for one domain: RESULT of docs/output.md.
struct Report {
  Fqdn domain;
  Outcome outcome = Outcome::issued;
  std::optional<Certificate> certificate;  ///< the new one, else the one that it has
  std::optional<Error> error;
};

/// RESULT and ERROR of docs/output.md.
boost::json::object to_json(const Report& report);
boost::json::object to_json(const Error& error);

/// The text that a finished request carries, and back. Errors: rejected.
std::string to_text(const Report& report);
Result<boost::json::object> parse_report(std::string_view text);

}  // namespace certherd::fleet
