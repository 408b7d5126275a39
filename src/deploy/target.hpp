#pragma once

#include <optional>
#include <string>

#include "base/result.hpp"
#include "model/certificate.hpp"
#include "model/fqdn.hpp"
#include "model/identifiers.hpp"
#include "model/material.hpp"
#include "runtime/task.hpp"

namespace certherd::deploy {

/// What was installed, enough to take it off again.
struct Receipt {
  Installed outcome = Installed::installed;  ///< installed or unchanged
  Fqdn domain;
  std::string version_key;  ///< the serial
};

/// A place that serves certificates. Owned by app, used on the loop.
class Target {
 public:
  virtual ~Target() = default;

  /// The version key of what is installed for the domain; nothing when there is none.
  virtual Task<Result<std::optional<std::string>>> observe(Fqdn domain) = 0;

  /// Installs and activates. The same version again is `unchanged`. Installs that come together
  /// are activated together. Errors: denied, misconfigured (such as a reload command that fails;
  /// its output is in the detail), rejected, transient.
  virtual Task<Result<Receipt>> install(Fqdn domain, Material material,
                                        std::string version_key) = 0;

  /// Takes the domain off. Harmless when it is not there.
  virtual Task<Status> retire(Receipt receipt) = 0;

  /// Whether it could be installed to, without changing anything.
  virtual Task<Status> check() = 0;

  /// Ends what runs in the background.
  virtual Task<void> stop() = 0;
};

}  // namespace certherd::deploy
