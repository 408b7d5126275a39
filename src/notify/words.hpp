#pragma once

#include <cstddef>
#include <string>

#include "notify/notifier.hpp"

namespace certherd::notify {

/// One line that says what it is about: "certherd: failing: shop.example", or how many of what.
std::string headline(const Notice& notice);

/// A line for each of the first `most` notifications, and how many there are besides.
std::string text_of(const Notice& notice, std::size_t most);

}  // namespace certherd::notify
