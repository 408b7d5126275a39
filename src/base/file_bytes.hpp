#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace certherd {

/// Writes and syncs; the errno of what failed, else 0.
int write_all(int descriptor, std::string_view content);

/// Reads to the end. Errors: rejected when there is more than `limit`, else as file_error().
Result<std::string> read_all(int descriptor, const std::filesystem::path& path, std::size_t limit);

}  // namespace certherd
