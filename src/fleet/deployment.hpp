#pragma once

#include "fleet/ports.hpp"
#include "model/request.hpp"

namespace certherd::fleet {

/// Puts the present certificate of a domain on its targets once more, out of the vault, and takes
/// it off them. All of it may be repeated at any time. Owned by Chores, used on the loop; one call
/// for a domain at a time, and no step of its issuance.
class Deployment {
 public:
  explicit Deployment(Ports& ports) : ports_(ports) {}

  /// Installs on the request's target, else on all of the domain, all at once; one that fails
  /// does not keep the others from it. Gives the certificate with what has become of it.
  /// Errors: not_found (no certificate, no such target), rejected (revoked, compromised, or not
  /// what the vault keeps), the vault's and the targets'.
  Task<Result<Certificate>> install(WorkRequest request);

  /// Whether every endpoint of the domain serves the certificate; an unset `served` says that
  /// there is none to ask. Errors: deadline, saying what they serve instead.
  Task<Result<Certificate>> prove(Certificate certificate);

  /// Removes what earlier certificates left at the targets, once this one is proven. Errors: the
  /// targets'.
  Task<Status> clean_up(Certificate certificate);

  /// Writes down that it was not proven in time.
  Task<Status> give_up(Certificate certificate);

  /// Takes the domain off its targets, those of the config that have it. An active issuance ends
  /// first, since it would put it there again. Gives the domain's certificate, if it has one.
  /// Errors: the targets'; the others are asked all the same.
  Task<Result<std::optional<Certificate>>> retire(WorkRequest request);

 private:
  Task<Status> end_issuance(Domain domain);
  Event event(const Fqdn& domain, std::string name,
              std::map<std::string, std::string> detail) const;
  Time now() const { return ports_.clock().now(); }

  Ports& ports_;
};

}  // namespace certherd::fleet
