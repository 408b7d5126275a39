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
/// has said, and keeps what they say in the store: a window at once, and that there was nothing new
/// now and then for many, so that a large fleet's questions cost no sync to the disk each. What a
/// kill loses of that is asked again. What fails is asked again later, and holds up nothing: a
/// certificate without an answer is renewed by its age. Used on the loop.
class RenewalWatch {
 public:
  struct Options {
    Duration keep_every = std::chrono::minutes(5);  ///< what is nothing new
  };

  /// `told` is called when a CA has named a window or moved one.
  RenewalWatch(Ports& ports, Options options, std::function<void()> told);

  /// A domain as it was just read: a certificate that is new is asked about from now on, and the
  /// one before no more.
  void review(const store::DomainRow& row);
  /// The domain is in the inventory no more.
  void forget(DomainId domain);

  /// Asks until it is cancelled.
  Task<void> run();

  /// Keeps what is not kept yet: to be called at an orderly end, after run().
  Task<void> keep_rest();

 private:
  struct Watched {
    Certificate certificate;
    std::optional<Time> due;  ///< when it is asked about; nothing: never, or it is being asked
    bool asking = false;
  };

  /// What a question was about.
  struct Asked {
    Fqdn domain;
    Serial serial;
    Renewal before{};
  };

  void plan(DomainId id, Watched& watched);
  /// The one that is due first is being asked about from now on.
  DomainId take_first();
  /// Asks about this one, and then about others, for as long as any are due.
  Task<void> ask_what_is_due(DomainId first);
  Task<void> ask(DomainId id);
  Task<Result<acme::RenewalInfo>> ask_ca(CaName ca, std::string ari_id);
  /// Writes a window that is new.
  Task<void> keep(DomainId id, Asked asked, Renewal after);
  Task<void> keep_again_and_again();
  Time now() const { return ports_.clock().now(); }

  Ports& ports_;
  Options options_;
  std::function<void()> told_;
  std::map<DomainId, Watched> watched_;
  std::set<std::pair<Time, DomainId>> due_;
  std::map<DomainId, store::KnownRenewal> unkept_;
  int asking_ = 0;
  Time sleeps_until_ = Time::max();  ///< until then run() takes no note of what becomes due
  runtime::Wakeup changed_;
};

}  // namespace certherd::fleet
