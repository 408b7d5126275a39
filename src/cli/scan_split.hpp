#pragma once

#include <string>
#include <vector>

#include "cli/context.hpp"
#include "fleet/scan.hpp"

namespace certherd::cli {

/// What `scan --split` has found out.
struct SplitScan {
  std::vector<fleet::Finding> findings;
  std::vector<Fqdn> nowhere;      ///< domains that name no place to look at
  std::vector<Domain> inventory;  ///< all of it
  Time now{};
};

/// Whether an inventory can be written there (empty: none is wanted; `-`: standard output), told
/// before anything is looked at. Errors: conflict when something is there already, misconfigured.
Status check_split_file(const std::string& path);

/// Tells who shares certificates, and writes the inventory that gives each domain its own. Gives
/// the exit status: some_failed when an endpoint could not be read, since it may hide a share.
int tell_split(const Context& context, const SplitScan& scan, const std::string& path);

}  // namespace certherd::cli
