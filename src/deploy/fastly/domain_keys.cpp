#include "deploy/fastly/domain_keys.hpp"

#include "base/log.hpp"
#include "deploy/fastly/failure.hpp"

namespace certherd::deploy::fastly {

std::string label_of(const Fqdn& domain) { return "certherd: " + domain.text(); }

Task<Status> DomainKeys::ensure(Fqdn domain, Leaf leaf, Secret<std::string> pem) {
  return index_.ensure(std::move(leaf.public_key_sha1), std::move(pem), label_of(domain));
}

Task<Status> DomainKeys::remove_unused(Fqdn domain) {
  auto known = co_await index_.named(label_of(domain));
  if (!known) co_return fail(std::move(known.error()));
  // The one that is left is that of the present certificate.
  if (known->size() < 2) co_return Status();
  co_return co_await remove_unused_all(std::move(domain));
}

Task<Status> DomainKeys::remove_unused_all(Fqdn domain) {
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
