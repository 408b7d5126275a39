#pragma once

#include <cstdint>

#include "base/result.hpp"

namespace certherd::demo {

/// A port of 127.0.0.1 that nobody has now, neither for TCP nor for UDP. It is from 20000 to 32767,
/// below those that Linux gives to outgoing connections (ip_local_port_range): with one of those, a
/// connection that anybody opens meanwhile takes it. Another server may still take it before it is
/// used. Errors: transient.
Result<std::uint16_t> free_port();

}  // namespace certherd::demo
