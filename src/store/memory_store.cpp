#include "store/memory_store.hpp"

#include "store/memory_store_class.hpp"

namespace certherd::store {

std::unique_ptr<Store> make_memory_store(runtime::Clock& clock, MemoryStoreOptions options) {
  return std::make_unique<MemoryStore>(clock, options);
}

}  // namespace certherd::store
