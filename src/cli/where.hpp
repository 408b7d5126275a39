#pragma once

#include <string>
#include <vector>

#include "app/app.hpp"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace certherd::cli {

/// Adds `--where` to a command, for domains_where(). `about` says what is chosen by it.
CLI::Option* add_where(CLI::App& command, std::string& where, const std::string& about);

/// The domains of the inventory for which all terms of app::DomainFilter hold, by name; all of
/// them without a term. Errors: misconfigured (terms); the store's.
Task<Result<std::vector<store::DomainRow>>> domains_where(app::App* app, std::string where);

}  // namespace certherd::cli
