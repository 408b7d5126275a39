#pragma once

#include "fleet/ports.hpp"
#include "model/request.hpp"

namespace certherd::fleet {

/// Has certificates revoked. That one is to be revoked stands in its row before the CA is asked;
/// asking again is harmless, so a crash in between is made up for by asking again. Owned by
/// Chores, used on the loop; one call for a domain at a time, and no step of its issuance.
class Revocation {
 public:
  explicit Revocation(Ports& ports) : ports_(ports) {}

  /// Revokes the certificate that the request names and gives it as it then is. Signed by the
  /// account, or with `by_key` and for a compromised key by the certificate's key; by the other
  /// one where that cannot be. A compromised key is never used again from the first moment on,
  /// and an issuance that would still install it or the revoked certificate ends.
  /// Errors: not_found (no such certificate), misconfigured (its CA is not in the config), the
  /// CA's; after rejected the certificate counts as not to be revoked.
  Task<Result<Certificate>> revoke(WorkRequest request);

 private:
  enum class Signer { account, key };
  /// Whether it was signed, and the answer; another signer is tried when it could not be.
  struct Attempt {
    bool signer_usable = true;
    Status status;
  };
  struct Subject {
    Certificate certificate;
    bool current = false;
    std::string der;
    std::string public_key;
    VaultName vault;
  };

  Task<Result<Subject>> find(WorkRequest request);
  Task<Result<std::string>> chain_of(Certificate certificate, VaultName vault);
  Task<Status> begin(Subject subject, WorkRequest::Arguments arguments);
  Task<Result<Signer>> send(Subject subject, bool by_key);
  Task<Attempt> ask(Subject subject, Signer signer);
  Task<Status> take_back(Subject subject, Error error);
  Task<Status> confirm(Subject subject, Signer signer);

  Event event(const Subject& subject, std::string name,
              std::map<std::string, std::string> further = {}) const;
  Time now() const { return ports_.clock().now(); }

  Ports& ports_;
};

}  // namespace certherd::fleet
