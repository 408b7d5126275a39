#pragma once

#include <filesystem>
#include <memory>

#include "deploy/target_section.hpp"

namespace certherd::deploy {

/// A section of the type `exec`: as read_target().
std::shared_ptr<const TargetSection> read_exec(config::Section& section,
                                               const std::filesystem::path& folder);

}  // namespace certherd::deploy
