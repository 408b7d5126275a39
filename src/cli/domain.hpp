#pragma once

#include "cli/context.hpp"

namespace certherd::cli {

// The subcommands of `domain`, each in the file of its name (domain_add.cpp and so on): they add
// themselves to `domain`.
void add_domain_add(CLI::App& domain, Context& context);
void add_domain_import(CLI::App& domain, Context& context);
void add_domain_list(CLI::App& domain, Context& context);
void add_domain_show(CLI::App& domain, Context& context);
void add_domain_remove(CLI::App& domain, Context& context);

}  // namespace certherd::cli
