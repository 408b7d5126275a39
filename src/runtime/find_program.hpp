#pragma once

#include <filesystem>
#include <string>

#include "base/result.hpp"

namespace certherd::runtime {

/// The file that run_command would start: a name without a slash is looked up in PATH. Blocks on
/// the disk. Errors: misconfigured, when there is none or it may not be executed.
Result<std::filesystem::path> find_program(const std::string& name);

}  // namespace certherd::runtime
