#pragma once

#include <string_view>

#include "cli/context.hpp"

namespace certherd::cli {

/// Whether a person at the terminal agrees to what cannot be undone. Nobody is asked where nobody
/// can answer, in scripts and with --json: who wrote those means what stands there.
bool confirmed(const Context& context, std::string_view question);

}  // namespace certherd::cli
