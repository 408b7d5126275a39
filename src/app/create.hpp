#pragma once

#include <filesystem>
#include <string_view>

#include "base/result.hpp"

namespace certherd::app {

/// Writes a new certherd.toml with this text into the folder, which is made when it is missing,
/// and beside it a new seal key (certherd.key) and an empty store (state.db), all 0600.
/// Errors: conflict when one of them is there already (nothing is changed then), and those of
/// writing.
Status create_folder(const std::filesystem::path& folder, std::string_view config_text);

}  // namespace certherd::app
