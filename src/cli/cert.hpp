#pragma once

#include "cli/context.hpp"

namespace certherd::cli {

// The subcommands of `cert` that have a file of their own (cert_export.cpp and so on): they add
// themselves to `cert`.
void add_cert_export(CLI::App& cert, Context& context);
void add_cert_revoke(CLI::App& cert, Context& context);

}  // namespace certherd::cli
