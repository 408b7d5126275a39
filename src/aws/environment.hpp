#pragma once

#include <map>
#include <string>

namespace certherd::aws {

/// Environment variables by name, as a value, so that a test can bring its own.
using Environment = std::map<std::string, std::string>;

/// Those of this process.
Environment process_environment();

}  // namespace certherd::aws
