#include "fleet/proof.hpp"

namespace certherd::fleet {

Task<std::string> who_does_not_serve(Ports* ports, std::vector<Endpoint> endpoints, Serial serial) {
  std::string those;
  for (const auto& endpoint : endpoints) {
    const Time deadline = ports->clock().now() + ports->defaults.probe_timeout;
    auto seen = co_await ports->probe->look(endpoint, deadline);
    if (!seen) {
      those += fmt::format("{}: {}. ", endpoint.text(), seen.error().message());
    } else if (seen->leaf.serial != serial) {
      those += fmt::format("{} serves serial {}, valid until {}. ", endpoint.text(),
                           seen->leaf.serial, format_time(seen->leaf.not_after));
    }
  }
  co_return those;
}

}  // namespace certherd::fleet
