#include "app/dead_requests.hpp"

#include <set>
#include <string>

#include "app/process_identity.hpp"

namespace certherd::app {

Task<Status> drop_requests_of_the_dead(store::Store* store) {
  auto open = co_await store->open_requests(0);
  if (!open) co_return fail(std::move(open.error()));
  std::set<std::string> owners;
  for (const auto& request : *open) owners.insert(request.owner);
  for (const auto& owner : owners) {
    if (!is_dead(owner)) continue;
    auto dropped = co_await store->withdraw_requests(owner);
    if (!dropped) co_return dropped;
  }
  co_return Status{};
}

}  // namespace certherd::app
