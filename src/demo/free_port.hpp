#pragma once

#include <cstdint>

#include "base/result.hpp"

namespace certherd::demo {

/// A TCP port of 127.0.0.1 that nobody listens on now. Somebody may take it before it is used:
/// callers try again. Errors: transient.
Result<std::uint16_t> free_port();

}  // namespace certherd::demo
