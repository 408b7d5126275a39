#pragma once

#include <filesystem>
#include <memory>

#include "deploy/target_section.hpp"

namespace certherd::deploy {

/// A section of the type `acm`: as read_target().
std::shared_ptr<const TargetSection> read_acm(config::Section& section,
                                              const std::filesystem::path& folder);

}  // namespace certherd::deploy
