#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/time.hpp"
#include "model/fqdn.hpp"
#include "model/identifiers.hpp"
#include "model/revocation.hpp"

namespace certherd {

/// What a command asks of whoever executes for the store, for one domain.
struct WorkRequest {
  enum class Kind {
    issue,  ///< a certificate now, due or not
    renew,  ///< a certificate if one is due

    deploy,  ///< the present certificate once more on its targets
    revoke,  ///< a certificate revoked at its CA
    retire,  ///< the domain off its targets
  };

  /// What the kinds want to know, besides the domain.
  struct Arguments {
    TargetName target;  ///< deploy: on this one; empty: on all of the domain
    /// revoke: this certificate; empty: the present one. issue: in place of this one, and nothing
    /// when it is not the present one any more; empty: whatever there is.
    Serial serial;
    RevocationReason reason = RevocationReason::unspecified;  ///< revoke
    bool by_key = false;  ///< revoke: signed by the certificate's own key
    /// issue: what has to wait, or has failed, is taken up again until then before it has its
    /// result.
    std::optional<Time> patient_until;

    bool operator==(const Arguments&) const = default;
  };

  std::int64_t id = 0;
  std::string batch;  ///< all requests of one command
  std::string owner;  ///< the process that waits for it, as in Lease::owner
  Kind kind = Kind::issue;
  Arguments arguments{};
  DomainId domain_id{};
  Fqdn domain;
  Time requested_at{};
  std::optional<Time> done_at;
  std::string result;  ///< RESULT of docs/output.md as JSON text once it is done
};

/// The right to execute for a store.
struct Lease {
  std::string owner;  ///< tells one process from all others, also after a restart
  Time expires_at{};
};

}  // namespace certherd
