#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string_view>

#include "model/certificate.hpp"
#include "model/request.hpp"

namespace certherd::fleet {

enum class Outcome { issued, current, deferred, failed };

std::string_view to_string(Outcome outcome);

/// How it went for one domain: the contract's RESULT.
struct Report {
  Fqdn domain;
  Outcome outcome = Outcome::issued;
  std::optional<Certificate> certificate;
  std::optional<Error> error;
};

boost::json::object to_json(const Report& report);
boost::json::object to_json(const Error& error);

/// The text that a finished request carries, and back. Errors: rejected.
std::string to_text(const Report& report);
Result<boost::json::object> parse_report(std::string_view text);

}  // namespace certherd::fleet
