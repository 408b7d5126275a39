#include "deploy/fastly/domain_keys.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "deploy/fastly/failure.hpp"

namespace certherd::deploy::fastly {

std::string label_of(const Fqdn& domain) { return "certherd: " + domain.text(); }

Task<Status> DomainKeys::ensure(Fqdn domain, Leaf leaf, Secret<std::string> pem) {
  return index_.ensure(std::move(leaf.public_key_sha1), std::move(pem), label_of(domain));
}

void DomainKeys::note(const Fqdn& domain, const Leaf& leaf) {
  present_.insert_or_assign(label_of(domain), leaf.public_key_sha1);
}

// Who knows the key in use needs no list of the unused ones, which grows long while a whole fleet
// is renewed.
Task<Status> DomainKeys::remove_unused(Fqdn domain, bool former_stands) {
  const auto label = label_of(domain);
  auto known = co_await index_.named(label);
  if (!known) co_return fail(std::move(known.error()));
  const auto present = present_.find(label);
  const auto in_use = present == present_.end() ? std::string() : present->second;
  // The one that is left is that of the present certificate.
  if (known->size() < 2) known->clear();
  if (!known->empty() && (former_stands || in_use.empty())) {
    known->clear();
    auto removed = co_await remove_all_unused(std::move(domain));
    if (!removed) co_return removed;
  }
  for (auto& key : *known) {
    if (key.public_key_sha1 == in_use) continue;
    if (auto removed = co_await remove(std::move(key)); !removed) co_return removed;
  }
  present_.erase(label);
  co_return Status();
}

Task<Result<std::size_t>> DomainKeys::used_besides_present(Fqdn domain) {
  const auto label = label_of(domain);
  auto keys = co_await index_.named(label);
  if (!keys) co_return fail(std::move(keys.error()));
  const auto present = present_.find(label);
  std::erase_if(*keys, [&](const Key& key) {
    return present != present_.end() && key.public_key_sha1 == present->second;
  });
  if (keys->empty()) co_return 0;
  auto unused = co_await api_.unused_keys();
  if (!unused) co_return fail(std::move(unused.error()));
  std::erase_if(*keys, [&unused](const Key& key) {
    return std::ranges::find(*unused, key.id, &Key::id) != unused->end();
  });
  co_return keys->size();
}

Task<Status> DomainKeys::remove_all_unused(Fqdn domain) {
  const auto label = label_of(domain);
  auto unused = co_await api_.unused_keys();
  if (!unused) co_return fail(std::move(unused.error()));
  for (auto& key : *unused) {
    if (key.name != label) continue;
    if (auto removed = co_await remove(std::move(key)); !removed) co_return removed;
  }
  co_return Status();
}

Task<Status> DomainKeys::remove_all(Fqdn domain) {
  auto known = co_await index_.named(label_of(domain));
  if (!known) co_return fail(std::move(known.error()));
  for (auto& key : *known) {
    if (auto removed = co_await remove(std::move(key)); !removed) co_return removed;
  }
  co_return Status();
}

Task<Status> DomainKeys::remove(Key key) {
  const auto name = key.name;
  auto removed = co_await index_.remove(std::move(key));
  if (removed || !is_refusal(removed.error())) co_return removed;
  // Fastly still counts it as used: the next clean-up finds it again.
  log::debug("a key of \"{}\" stays for now: {}", name, removed.error().message());
  co_return Status();
}

}  // namespace certherd::deploy::fastly
