#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace certherd::store {

/// A moment of the inventory, as the store object counts that gave it; to any other one it says
/// nothing. For who holds it, it has no members.
struct Mark {
  std::shared_ptr<const void> of;  ///< which object: a pointer, since it may outlive that
  std::uint64_t write = 0;         ///< the last one of that object
  std::int64_t others = 0;         ///< changes when another process has written
  std::size_t size = 0;            ///< of the inventory, when all of it was last told
};

}  // namespace certherd::store
