#pragma once

#include <boost/json/array.hpp>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "app/app.hpp"

namespace certherd::cli {

/// Whose certificates a person wants replaced.
struct RenewWish {
  std::vector<std::string> names;           ///< none: all for which `where` holds
  std::string where;                        ///< terms of app::DomainFilter
  std::optional<std::set<Serial>> serials;  ///< of these only those that have one of them
};

/// What becomes of it.
struct RenewChoice {
  struct LeftOut {
    Fqdn domain;
    std::string reason;
  };

  std::vector<store::DomainRow> rows;  ///< enabled, with a certificate, by name
  std::vector<LeftOut> left_out;
  std::size_t replaced = 0;  ///< of the serials: those of former certificates
  std::size_t unknown = 0;   ///< of the serials: those of no certificate of the inventory
};

/// Errors: misconfigured (a name, the terms), not_found (a name that is not there, terms that hold
/// for no certificate, present or former); the store's.
Task<Result<RenewChoice>> choose_to_renew(app::App* app, RenewWish wish);

/// "2 domains are left out: …" for a person; empty when none is.
std::string left_out_text(const RenewChoice& choice);
boost::json::array left_out_json(const RenewChoice& choice);

}  // namespace certherd::cli
