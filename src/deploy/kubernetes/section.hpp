#pragma once

#include <filesystem>
#include <memory>

#include "deploy/target_section.hpp"

namespace certherd::deploy {

/// A section of the type `kubernetes`: as read_target().
std::shared_ptr<const TargetSection> read_kubernetes(config::Section& section,
                                                     const std::filesystem::path& folder);

}  // namespace certherd::deploy
