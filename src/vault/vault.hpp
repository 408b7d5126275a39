#pragma once

#include <optional>
#include <string>

#include "base/result.hpp"
#include "base/secret.hpp"
#include "model/certificate.hpp"
#include "model/material.hpp"
#include "runtime/task.hpp"

namespace certherd::vault {

/// What a version is called, and what is said of it where the vault has room for that.
struct Version {
  std::string key;                               ///< the serial: names the version
  std::optional<Time> not_after = std::nullopt;  ///< of its certificate
  std::string owner = {};                        ///< of the domain; may be empty
};

struct Description {
  std::string version_key;  ///< of the current version
  VaultReferences references;
};

/// Keeps CSR, private key and full chain of each domain. Owned by app, used on the loop.
class Vault {
 public:
  virtual ~Vault() = default;

  /// Makes `material` the current version. Its key names it: storing the same one again changes
  /// nothing. Readers see the old or the new version, never a mixture.
  /// Errors: denied, rejected (the same version key with another content), transient, throttled,
  /// conflict (somebody else's secret stands there), misconfigured.
  virtual Task<Result<VaultReferences>> store(Fqdn domain, Material material, Version version) = 0;

  /// The current version. Errors: not_found, denied, transient, rejected (damaged).
  virtual Task<Result<Material>> load(Fqdn domain) = 0;

  /// What is current, without reading a secret; nothing when there is none.
  virtual Task<Result<std::optional<Description>>> describe(Fqdn domain) = 0;

  /// Whether it could be written to, without leaving anything. Errors: as store().
  virtual Task<Status> check() = 0;
};

}  // namespace certherd::vault
