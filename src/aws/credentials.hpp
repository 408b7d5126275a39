#pragma once

#include <optional>
#include <string>

#include "base/secret.hpp"
#include "base/time.hpp"

namespace certherd::aws {

/// What signs a call.
struct Credentials {
  std::string access_key_id;
  Secret<std::string> secret_access_key;
  std::optional<Secret<std::string>> session_token;  ///< of temporary ones
  std::optional<Time> expires_at;                    ///< nothing: they do not expire
  std::string source;  ///< for people: "environment", "profile ops (assume role …)"
};

}  // namespace certherd::aws
