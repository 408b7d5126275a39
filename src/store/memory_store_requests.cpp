#include "store/memory_store_class.hpp"

namespace certherd::store {

Status MemoryStore::check_requests(const std::vector<WorkRequest>& requests) const {
  for (const auto& request : requests) {
    if (inventory_.find(request.domain_id) != nullptr) continue;
    return fail(Error::Kind::conflict, "", "a request is about a domain that the store has not");
  }
  return {};
}

void MemoryStore::put_requests(std::vector<WorkRequest> requests) {
  for (auto& request : requests) {
    request.id = ++requests_.last;
    request.domain = inventory_.find(request.domain_id)->domain.name;
    if (!request.done_at) requests_.open.insert(requests_.open.end(), request.id);
    requests_.batches[request.batch].push_back(request.id);
    requests_.all.emplace_hint(requests_.all.end(), request.id, std::move(request));
  }
}

Task<Status> MemoryStore::submit(std::vector<WorkRequest> requests) {
  if (auto checked = check_requests(requests); !checked) {
    co_return fail(std::move(checked.error()).during("submit requests"));
  }
  put_requests(std::move(requests));
  co_return Status();
}

Task<Result<std::vector<WorkRequest>>> MemoryStore::open_requests(std::int64_t after) {
  std::vector<WorkRequest> open;
  for (auto id = requests_.open.upper_bound(after); id != requests_.open.end(); ++id) {
    open.push_back(requests_.all.at(*id));
  }
  co_return open;
}

Task<Result<std::vector<WorkRequest>>> MemoryStore::batch(std::string batch) {
  std::vector<WorkRequest> requests;
  const auto found = requests_.batches.find(batch);
  if (found == requests_.batches.end()) co_return requests;
  requests.reserve(found->second.size());
  for (const auto id : found->second) requests.push_back(requests_.all.at(id));
  co_return requests;
}

Task<Status> MemoryStore::finish_request(std::int64_t id, std::string result) {
  // One that was withdrawn meanwhile is missed by nobody.
  if (requests_.open.erase(id) == 0) co_return Status();
  auto& request = requests_.all.at(id);
  request.done_at = clock_.now();
  request.result = std::move(result);
  co_return Status();
}

Task<Status> MemoryStore::withdraw_requests(std::string owner) {
  std::erase_if(requests_.open, [this, &owner](std::int64_t id) {
    const auto found = requests_.all.find(id);
    if (found->second.owner != owner) return false;
    const auto batch = requests_.batches.find(found->second.batch);
    std::erase(batch->second, id);
    if (batch->second.empty()) requests_.batches.erase(batch);
    requests_.all.erase(found);
    return true;
  });
  co_return Status();
}

}  // namespace certherd::store
