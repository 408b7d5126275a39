#pragma once

#include <functional>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "fleet/ports.hpp"
#include "runtime/slots.hpp"
#include "runtime/task_group.hpp"
#include "runtime/wakeup.hpp"
#include "store/store.hpp"

namespace certherd::fleet {

/// Asks the CAs when they want the present certificates to be renewed (RFC 9773), each when the CA
/// has said, and keeps what they say in the store. What fails is asked again later, and holds up
/// nothing: a certificate without an answer is renewed by its age. Used on the loop.
class RenewalWatch {
 public:
  /// `told` is called when a CA has named a window or moved one.
  RenewalWatch(Ports& ports, std::function<void()> told);

  /// The inventory as it was just read: certificates that are new are asked about from now on, and
  /// those that are gone no more.
  void review(const std::vector<store::DomainRow>& rows);

  /// Asks until it is cancelled.
  Task<void> run();

 private:
  struct Watched {
    Certificate certificate;
    bool asking = false;
  };

  Task<void> ask(DomainId id);
  Task<void> keep(Certificate certificate, Renewal before);
  Time now() const { return ports_.clock().now(); }

  Ports& ports_;
  std::function<void()> told_;
  std::map<DomainId, Watched> watched_;
  std::set<std::pair<Time, DomainId>> due_;
  int asking_ = 0;
  runtime::Wakeup changed_;
};

}  // namespace certherd::fleet
