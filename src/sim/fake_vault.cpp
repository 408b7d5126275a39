#include "sim/fake_vault.hpp"

#include <fmt/format.h>

#include <utility>

#include "sim/same_material.hpp"

namespace certherd::sim {
namespace {

VaultReferences references(const Fqdn& domain) {
  const auto part = [&domain](const char* name) { return fmt::format("fake:{}/{}", domain, name); };
  return {part("csr"), part("private_key"), part("fullchain")};
}

}  // namespace

Task<Result<VaultReferences>> FakeVault::store(Fqdn domain, Material material,
                                               vault::Version version) {
  if (refusal_) co_return fail(*refusal_);
  if (auto failure = take_failure()) co_return fail(std::move(*failure));
  Entry& entry = entries_[domain];
  if (entry.current == version.key) {
    if (!same_material(entry.versions.at(version.key), material)) {
      co_return fail(Error::Kind::rejected, "store " + domain.text(),
                     "this version key is in use with another content");
    }
    co_return entry.references;
  }
  if (entry.versions.insert_or_assign(version.key, std::move(material)).second) {
    entry.order.push_back(version.key);
  }
  if (entry.order.size() > most_versions_) {
    entry.versions.erase(entry.order.front());
    entry.order.pop_front();
  }
  entry.current = std::move(version.key);
  entry.references = references(domain);
  ++versions_stored_;
  co_return entry.references;
}

Task<Result<Material>> FakeVault::load(Fqdn domain) {
  if (auto failure = take_failure()) co_return fail(std::move(*failure));
  const auto entry = entries_.find(domain);
  if (entry == entries_.end()) {
    co_return fail(Error::Kind::not_found, "load " + domain.text(), "nothing is stored for it");
  }
  co_return entry->second.versions.at(entry->second.current);
}

Task<Result<std::optional<vault::Description>>> FakeVault::describe(Fqdn domain) {
  if (auto failure = take_failure()) co_return fail(std::move(*failure));
  const auto entry = entries_.find(domain);
  if (entry == entries_.end()) co_return std::optional<vault::Description>();
  co_return vault::Description{entry->second.current, entry->second.references};
}

Task<Status> FakeVault::check() { co_return Status(); }

std::optional<Error> FakeVault::take_failure() {
  if (failures_.empty()) return std::nullopt;
  auto failure = std::move(failures_.front());
  failures_.pop_front();
  return failure;
}

}  // namespace certherd::sim
