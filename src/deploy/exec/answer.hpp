#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace certherd::deploy {

/// What an exit status other than 0 means. The statuses are those of sysexits.h (BSD): a program
/// that knows none of them ends with 1, and somebody has to look at it.
Error::Kind kind_of_exit(int status);

/// The serial that a program has printed for `observe`: hex in any case, with or without colons and
/// the "serial=" of `openssl x509 -noout -serial`; as we write it. Empty: it printed nothing.
/// Errors: misconfigured, when it is no serial.
Result<std::string> read_serial(std::string_view output);

}  // namespace certherd::deploy
