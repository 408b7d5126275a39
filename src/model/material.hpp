#pragma once

#include <string>

#include "base/secret.hpp"

namespace certherd {

/// What a vault keeps and a target installs, in PEM.
struct Material {
  std::string csr;
  Secret<std::string> private_key;
  std::string fullchain;  ///< leaf first
};

}  // namespace certherd
