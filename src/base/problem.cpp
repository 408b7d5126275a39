#include "base/problem.hpp"

#include <string_view>

namespace certherd {

bool Problem::is_acme(std::string_view name) const {
  constexpr std::string_view prefix = "urn:ietf:params:acme:error:";
  const std::string_view urn = type;
  return urn.starts_with(prefix) && urn.substr(prefix.size()) == name;
}

}  // namespace certherd
