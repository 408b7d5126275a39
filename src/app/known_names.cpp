#include "app/known_names.hpp"

#include "runtime/event_loop.hpp"
#include "runtime/offload.hpp"
#include "store/store.hpp"

namespace certherd::app {

std::vector<std::string> known_domains(const Config& config, std::string_view prefix,
                                       std::size_t limit) {
  auto loop = runtime::make_event_loop();
  auto offload = runtime::make_inline_offload();
  const store::Options options{.url = config.store_url, .create = false, .migrate = false};
  auto store = store::Store::open(options, *offload, *offload, loop->clock());
  if (!store) return {};
  auto names = loop->run((*store)->names_with(std::string(prefix), limit));
  return names ? std::move(*names) : std::vector<std::string>{};
}

}  // namespace certherd::app
