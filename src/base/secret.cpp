#include "base/secret.hpp"

#include <cstring>

namespace certherd {

void wipe(std::string& bytes) {
  // The whole capacity: a shorter value may have replaced a longer one in the same buffer.
  bytes.resize(bytes.capacity());
  explicit_bzero(bytes.data(), bytes.size());
  bytes.clear();
}

}  // namespace certherd
