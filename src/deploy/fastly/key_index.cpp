#include "deploy/fastly/key_index.hpp"

#include <algorithm>
#include <utility>

namespace certherd::deploy::fastly {
namespace {

// Others may make and remove keys, though hardly ours.
constexpr Duration fresh_for = std::chrono::minutes(10);

}  // namespace

Task<Status> KeyIndex::load() {
  while (true) {
    const Time now = api_.loop().clock().now();
    if (now < fresh_until_) co_return Status();
    if (!loading_) break;
    co_await loaded_.wait();
  }
  struct Loading {
    KeyIndex* index;
    explicit Loading(KeyIndex* index) : index(index) { index->loading_ = true; }
    Loading(const Loading&) = delete;
    Loading& operator=(const Loading&) = delete;
    ~Loading() {
      index->loading_ = false;
      index->loaded_.notify_all();
    }
  };
  const Loading loading(this);
  // A doubt that comes while we read is not about what we read.
  fresh_until_ = api_.loop().clock().now() + fresh_for;
  auto keys = co_await api_.keys();
  if (!keys) {
    doubt();
    co_return fail(std::move(keys.error()));
  }
  keys_.clear();
  sha1_by_name_.clear();
  for (auto& key : *keys) put(std::move(key));
  // The pages that were read before these came do not show them.
  for (auto& key : std::exchange(added_meanwhile_, {})) put(std::move(key));
  co_return Status();
}

void KeyIndex::put(Key key) {
  if (keys_.contains(key.public_key_sha1)) return;
  sha1_by_name_.emplace(key.name, key.public_key_sha1);
  const auto sha1 = key.public_key_sha1;
  keys_.emplace(sha1, std::move(key));
}

Task<Result<std::optional<Key>>> KeyIndex::find(std::string public_key_sha1) {
  if (auto loaded = co_await load(); !loaded) co_return fail(std::move(loaded.error()));
  const auto key = keys_.find(public_key_sha1);
  if (key == keys_.end()) co_return std::nullopt;
  co_return key->second;
}

Task<Result<std::vector<Key>>> KeyIndex::named(std::string name) {
  if (auto loaded = co_await load(); !loaded) co_return fail(std::move(loaded.error()));
  std::vector<Key> found;
  const auto [begin, end] = sha1_by_name_.equal_range(name);
  for (auto entry = begin; entry != end; ++entry) found.push_back(keys_.at(entry->second));
  co_return found;
}

Task<Result<Key>> KeyIndex::add(Secret<std::string> pem, std::string name) {
  auto key = co_await api_.add_key(std::move(pem), std::move(name));
  if (!key) {
    doubt();
    co_return key;
  }
  if (loading_) added_meanwhile_.push_back(*key);
  put(*key);
  co_return key;
}

Task<Status> KeyIndex::remove(Key key) {
  auto removed = co_await api_.remove_key(key.id);
  if (!removed) {
    doubt();
    co_return removed;
  }
  keys_.erase(key.public_key_sha1);
  const auto [begin, end] = sha1_by_name_.equal_range(key.name);
  const auto entry = std::find_if(
      begin, end, [&key](const auto& each) { return each.second == key.public_key_sha1; });
  if (entry != end) sha1_by_name_.erase(entry);
  co_return removed;
}

}  // namespace certherd::deploy::fastly
