#include <algorithm>

#include "store/memory_store_class.hpp"

namespace certherd::store {

void MemoryStore::put_events(std::vector<Event> events) {
  for (auto& event : events) events_.append(std::move(event));
}

Task<Status> MemoryStore::append(std::vector<Event> events) {
  put_events(std::move(events));
  co_return Status();
}

Task<Result<std::vector<NumberedEvent>>> MemoryStore::events(EventQuery query) {
  std::vector<NumberedEvent> found;
  const auto& all = events_.events();
  for (std::size_t place = all.size(); place-- > 0;) {
    const auto& event = all[place];
    const auto number = events_.number_of(place);
    if (number <= query.after || (query.limit != 0 && found.size() == query.limit)) break;
    if (query.since && event.at < *query.since) continue;
    if (query.domain && event.domain != *query.domain) continue;
    found.push_back({.number = number, .event = event});
  }
  std::ranges::reverse(found);
  co_return found;
}

}  // namespace certherd::store
