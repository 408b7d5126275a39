#include "deploy/fastly/key_index.hpp"

#include <algorithm>
#include <utility>

#include "deploy/fastly/failure.hpp"

namespace certherd::deploy::fastly {
namespace {

// Others may make and remove keys, though hardly ours.
constexpr Duration fresh_for = std::chrono::minutes(10);

/// Of a write: it was sent, and no answer says that it was refused.
bool may_be_done(const Error& error) {
  return error.kind == Error::Kind::transient || error.kind == Error::Kind::deadline;
}

}  // namespace

Task<Status> KeyIndex::load() {
  while (loading_) {
    co_await changed_.wait();
    // Not each of those who wait tries again: each would wait for all before it.
    if (failure_) co_return fail(*failure_);
  }
  if (api_.loop().clock().now() < fresh_until_) co_return Status();
  struct Loading {
    KeyIndex* index;
    explicit Loading(KeyIndex* index) : index(index) { index->loading_ = true; }
    Loading(const Loading&) = delete;
    Loading& operator=(const Loading&) = delete;
    ~Loading() {
      index->loading_ = false;
      index->changed_.notify_all();
    }
  };
  const Loading loading(this);
  failure_.reset();
  // A doubt that comes while we read is not about what we read.
  fresh_until_ = api_.loop().clock().now() + fresh_for;
  auto keys = co_await api_.keys();
  if (!keys) {
    doubt();
    failure_ = std::move(keys.error());
    co_return fail(*failure_);
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

Task<Result<std::vector<Key>>> KeyIndex::named(std::string name) {
  if (auto loaded = co_await load(); !loaded) co_return fail(std::move(loaded.error()));
  std::vector<Key> found;
  const auto [begin, end] = sha1_by_name_.equal_range(name);
  for (auto entry = begin; entry != end; ++entry) found.push_back(keys_.at(entry->second));
  co_return found;
}

Task<Status> KeyIndex::ensure(std::string public_key_sha1, Secret<std::string> pem,
                              std::string name) {
  while (true) {
    if (auto loaded = co_await load(); !loaded) co_return loaded;
    if (keys_.contains(public_key_sha1)) co_return Status();
    if (!uploading_.contains(public_key_sha1)) break;
    co_await changed_.wait();
  }
  struct Uploading {
    KeyIndex* index;
    std::set<std::string>::iterator place;
    Uploading(KeyIndex* index, const std::string& sha1)
        : index(index), place(index->uploading_.insert(sha1).first) {}
    Uploading(const Uploading&) = delete;
    Uploading& operator=(const Uploading&) = delete;
    ~Uploading() {
      index->uploading_.erase(place);
      index->changed_.notify_all();
    }
  };
  const Uploading uploading(this, public_key_sha1);
  auto key = co_await api_.add_key(std::move(pem), std::move(name));
  if (!key) {
    // One that is refused may be there, unknown to us.
    if (may_be_done(key.error()) || is_refusal(key.error())) doubt();
    co_return fail(std::move(key.error()));
  }
  if (loading_) added_meanwhile_.push_back(*key);
  put(std::move(*key));
  co_return Status();
}

Task<Status> KeyIndex::remove(Key key) {
  auto removed = co_await api_.remove_key(key.id);
  if (!removed) {
    if (may_be_done(removed.error())) doubt();
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
