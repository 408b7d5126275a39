#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/config.hpp"

namespace certherd::app {

/// The domains of the store that begin with `prefix`, at most `limit`. Needs no seal key, changes
/// nothing, and gives none when the store cannot be read or is of another schema: for a shell that
/// proposes names while somebody types. Blocks.
std::vector<std::string> known_domains(const Config& config, std::string_view prefix,
                                       std::size_t limit);

}  // namespace certherd::app
