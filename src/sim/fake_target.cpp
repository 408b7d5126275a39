#include "sim/fake_target.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "sim/same_material.hpp"

namespace certherd::sim {

Task<Result<std::optional<deploy::Installation>>> FakeTarget::observe(Fqdn domain) {
  const auto entry = entries_.find(domain);
  if (entry == entries_.end()) co_return std::nullopt;
  co_return deploy::Installation{.version_key = entry->second.version_key};
}

Task<Result<deploy::Receipt>> FakeTarget::install(Fqdn domain, Material material,
                                                  std::string version_key) {
  if (refusal_) co_return fail(*refusal_);
  if (!failures_.empty()) {
    auto failure = std::move(failures_.front());
    failures_.pop_front();
    co_return fail(std::move(failure));
  }
  const auto entry = entries_.find(domain);
  if (entry != entries_.end() && entry->second.version_key == version_key) {
    if (!same_material(entry->second.material, material)) {
      co_return fail(Error::Kind::rejected, "install " + domain.text(),
                     "this version is installed with another content");
    }
    co_return deploy::Receipt{Installed::unchanged, domain, version_key};
  }
  const int leftovers = entry == entries_.end() ? 0 : entry->second.leftovers + 1;
  leftovers_ += entry == entries_.end() ? 0 : 1;
  entries_.insert_or_assign(domain, Entry{version_key, std::move(material), leftovers});
  ++installs_;
  if (watch_) watch_(domain);
  co_return deploy::Receipt{Installed::installed, domain, version_key};
}

Task<Status> FakeTarget::retire(deploy::Receipt receipt) {
  if (!retire_failures_.empty()) {
    auto failure = std::move(retire_failures_.front());
    retire_failures_.pop_front();
    co_return fail(std::move(failure));
  }
  const auto entry = entries_.find(receipt.domain);
  const auto& version = receipt.version_key;
  if (entry != entries_.end() && (version.empty() || entry->second.version_key == version)) {
    leftovers_ -= entry->second.leftovers;
    entries_.erase(entry);
  }
  co_return Status();
}

Task<Status> FakeTarget::clean_up(deploy::Receipt receipt) {
  if (!clean_up_failures_.empty()) {
    auto failure = std::move(clean_up_failures_.front());
    clean_up_failures_.pop_front();
    co_return fail(std::move(failure));
  }
  const auto entry = entries_.find(receipt.domain);
  if (entry != entries_.end()) leftovers_ -= std::exchange(entry->second.leftovers, 0);
  co_return Status();
}

Task<Status> FakeTarget::check() { co_return Status(); }

Task<void> FakeTarget::stop() { co_return; }

const Material* FakeTarget::served(const Fqdn& domain) const {
  const auto entry = entries_.find(domain);
  return entry == entries_.end() ? nullptr : &entry->second.material;
}

const crypto::CertificateInfo* FakeTarget::leaf(const Fqdn& domain) const {
  const auto entry = entries_.find(domain);
  if (entry == entries_.end()) return nullptr;
  auto& leaf = entry->second.leaf;
  if (!leaf) {
    // Its first block alone: reading a certificate takes long.
    constexpr std::string_view end = "-----END CERTIFICATE-----\n";
    const auto& chain = entry->second.material.fullchain;
    auto read = pki_.read_chain(
        std::string_view(chain).substr(0, std::min(chain.size(), chain.find(end)) + end.size()));
    if (!read) return nullptr;
    leaf = std::move(read->front());
  }
  return &*leaf;
}

}  // namespace certherd::sim
