#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "model/key_type.hpp"

namespace certherd::policy {

/// Something that takes certificates with these types of key alone.
struct KeyTaker {
  std::string name;  ///< for people: "[target.cdn]"
  std::vector<KeyType> keys;
};

/// The type of a domain's key: `wanted` if all take it; without a wish, the first of
/// certificate_key_types that all take. Errors: misconfigured, naming who does not take it.
Result<KeyType> choose_key(std::optional<KeyType> wanted, const std::vector<KeyTaker>& takers);

}  // namespace certherd::policy
