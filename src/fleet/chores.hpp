#pragma once

#include <map>
#include <optional>
#include <set>

#include "fleet/deployment.hpp"
#include "fleet/ports.hpp"
#include "fleet/report.hpp"
#include "fleet/revocation.hpp"
#include "model/request.hpp"

namespace certherd::fleet {

/// A request for something else than a certificate, and how far it has come.
struct Chore {
  WorkRequest request;                   ///< without an id when nobody waits for it
  Time next_at{};                        ///< nothing is to be done before this
  int attempts = 0;                      ///< failures one after another
  int polls = 0;                         ///< looks that found the certificate not served yet
  std::optional<Certificate> installed;  ///< deploy: what is now to be seen served
  Time prove_until{};
};

/// The work on a domain besides getting its certificate. None of it has a row of its own: each go
/// looks at what is there, and may be repeated. Who lets it work sees to it that nobody else works
/// on the same domain meanwhile. Owned by the executor, used on the loop.
class Chores {
 public:
  /// What is put off for longer than `patience` has its result instead.
  Chores(Ports& ports, Duration patience);

  /// Whether a request is for this.
  static bool takes(WorkRequest::Kind kind) { return kind >= WorkRequest::Kind::deploy; }

  /// To be taken up at that moment.
  void add(WorkRequest request, Time from);
  bool empty() const { return waiting_.empty(); }
  /// Whether something is to be done for that domain.
  bool has(DomainId domain) const { return count_.contains(domain); }

  /// Takes out the one that has waited longest of those due whose domain is not in `busy`.
  std::optional<Chore> next(const std::set<DomainId>& busy);
  /// When the first of those that are not yet due will be.
  std::optional<Time> next_due() const;

  /// One go at it. Nothing when it is to go on later, for which it waits in here again.
  Task<std::optional<Report>> carry_on(Chore chore);

 private:
  /// The certificate when it is done; when it has to wait, nothing, and `chore->next_at` says
  /// until when.
  struct Done {
    std::optional<Certificate> certificate;
  };
  Task<Result<std::optional<Done>>> take(Chore* chore);
  Task<Result<std::optional<Done>>> deploy(Chore* chore);
  Task<std::optional<Report>> recover(Chore chore, Error error);
  void wait(Chore chore);
  Time now() const { return ports_.clock().now(); }

  Ports& ports_;
  Duration patience_;
  Deployment deployment_;
  Revocation revocation_;
  std::multimap<Time, Chore> waiting_;
  std::map<DomainId, int> count_;  ///< of those waiting
};

}  // namespace certherd::fleet
