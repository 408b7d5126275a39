#pragma once

#include <map>
#include <string>

namespace certherd::aws {

/// Environment variables by name, as a value, so that a test can bring its own.
using Environment = std::map<std::string, std::string>;

/// Those of this process.
Environment process_environment();

/// A variable; empty when it is not there: AWS SDKs do not tell these two apart.
std::string value_of(const Environment& environment, const std::string& name);

}  // namespace certherd::aws
