#pragma once

#include <deque>
#include <limits>
#include <map>
#include <optional>

#include "sim/by_name.hpp"
#include "vault/vault.hpp"

namespace certherd::sim {

/// A vault in memory, held to the same contract suite as the real ones.
class FakeVault final : public vault::Vault {
 public:
  Task<Result<VaultReferences>> store(Fqdn domain, Material material,
                                      vault::Version version) override;
  Task<Result<Material>> load(Fqdn domain) override;
  Task<Result<std::optional<vault::Description>>> describe(Fqdn domain) override;
  Task<Status> check() override;

  /// Makes every call that would change something fail, until it is nothing again.
  void refuse_changes(std::optional<Error> error) { refusal_ = std::move(error); }
  /// Makes the next call of store(), load() or describe() fail; several line up.
  void fail_next(Error error) { failures_.push_back(std::move(error)); }

  /// Keeps the newest versions of each domain alone: years of a large fleet fit into memory.
  void keep_versions(std::size_t most) { most_versions_ = most; }

  /// How often a version became current: storing the same one again does not count.
  int versions_stored() const { return versions_stored_; }

 private:
  struct Entry {
    std::string current;
    VaultReferences references;
    std::map<std::string, Material> versions;
    std::deque<std::string> order;  ///< in which they were stored
  };

  std::optional<Error> take_failure();

  ByName<Entry> entries_;
  std::deque<Error> failures_;
  std::optional<Error> refusal_;
  int versions_stored_ = 0;
  std::size_t most_versions_ = std::numeric_limits<std::size_t>::max();
};

}  // namespace certherd::sim
