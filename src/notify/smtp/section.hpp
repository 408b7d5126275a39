#pragma once

#include "notify/notifier_section.hpp"

namespace certherd::notify {

/// Reads a [notify.NAME] of the type `smtp`.
std::shared_ptr<const NotifierSection> read_smtp(config::Section& section,
                                                 const std::filesystem::path& folder);

}  // namespace certherd::notify
