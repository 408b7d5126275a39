#pragma once

#include <string>

#include "notify/notifier.hpp"

namespace certherd::notify::webhook {

/// A notice as docs/notify.md shows it: JSON.
std::string document_of(const Notice& notice);

}  // namespace certherd::notify::webhook
