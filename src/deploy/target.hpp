#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "model/certificate.hpp"
#include "model/fqdn.hpp"
#include "model/identifiers.hpp"
#include "model/material.hpp"
#include "runtime/task.hpp"

namespace certherd::deploy {

/// What stands at a target for a domain.
struct Installation {
  std::string version_key;  ///< the serial; empty where the target cannot tell
};

/// What was installed, enough to take it off again.
struct Receipt {
  Installed outcome = Installed::installed;  ///< installed or unchanged
  Fqdn domain;
  std::string version_key;       ///< the serial; empty: whatever stands there
  std::vector<Fqdn> names = {};  ///< on its certificate, where that is known
};

/// A place that serves certificates. Owned by app, used on the loop. Calls about different domains
/// may run at once; those about one domain come one after another.
///
/// No error here is `rejected` where a new certificate of the same kind would not help: the one
/// that could not be installed is kept, and its installation is tried again.
class Target {
 public:
  virtual ~Target() = default;

  /// What is installed for the domain and active; nothing when there is none. Reads only.
  virtual Task<Result<std::optional<Installation>>> observe(Fqdn domain) = 0;

  /// Brings it about that this version is installed and active, whatever an earlier call that
  /// broke off has left. Looks first: what is right already is `unchanged` and costs no write.
  /// Installs that come together are activated together. What a former version needs to be served
  /// goes on standing until clean_up(). Errors: denied, misconfigured (such as a reload command
  /// that fails; its output is in the detail), rejected, conflict (somebody else's stands there),
  /// throttled, transient.
  virtual Task<Result<Receipt>> install(Fqdn domain, Material material,
                                        std::string version_key) = 0;

  /// Removes what earlier versions have left behind, once the receipt's has been seen served.
  /// Harmless when nothing is left. Errors: as install().
  virtual Task<Status> clean_up(Receipt receipt) = 0;

  /// Takes the domain off, and what was put there for it. Harmless when it is not there; a version
  /// that is not the receipt's stays.
  virtual Task<Status> retire(Receipt receipt) = 0;

  /// Whether it could be installed to, without changing anything.
  virtual Task<Status> check() = 0;

  /// Ends what runs in the background.
  virtual Task<void> stop() = 0;
};

}  // namespace certherd::deploy
