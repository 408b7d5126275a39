#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "fleet/due_queue.hpp"
#include "fleet/inventory.hpp"
#include "fleet/ports.hpp"
#include "runtime/wakeup.hpp"
#include "store/store.hpp"

namespace certherd::fleet {

/// Asks the CAs when they want the present certificates to be renewed (RFC 9773), each when the CA
/// has said, many together, and keeps what they say in the store: a window at once, and that there
/// was nothing new now and then for many, so that a large fleet's questions cost no sync to the
/// disk each. What a kill loses of that is asked again. What fails is asked again later, and holds
/// up nothing: a certificate without an answer is renewed by its age. Used on the loop.
class RenewalWatch {
 public:
  struct Options {
    Duration keep_every = std::chrono::minutes(5);  ///< what is nothing new
  };

  /// `told` is called when a CA has named a window or moved one.
  RenewalWatch(Ports& ports, const Inventory& inventory, Options options,
               std::function<void()> told);

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
    CaName ca;
    Serial serial;
    Renewal renewal;           ///< newer than that of the inventory
    Duration slack{};          ///< by which the next question may come later
    std::optional<Time> next;  ///< when that is; nothing: never, or it is being asked
    bool asking = false;
    bool unkept = false;  ///< what was heard last
  };

  /// The certificates of one CA, each at the latest moment at which it is to be asked about. One
  /// batch is under way at a time: who does not answer holds up questions to no other CA.
  struct Queue {
    DueQueue<DomainId> due;
    bool asking = false;
  };

  /// What is asked about together.
  struct Batch {
    std::vector<DomainId> domains;
    std::vector<Serial> serials;
    std::vector<std::string> ari_ids;
  };

  void plan(DomainId id, Watched& watched);
  /// The first of a queue, and when; null: there is none.
  const DueQueue<DomainId>::Entry* first(const CaName& ca, Queue& queue) const;
  Batch take_batch(const CaName& ca, Queue& queue);
  Task<void> ask(CaName ca);
  Task<std::vector<Result<acme::RenewalInfo>>> ask_ca(CaName ca, std::vector<std::string> ari_ids);
  /// Takes note of one answer; true when it is a window that is new.
  bool hear(DomainId id, const Serial& serial, Result<acme::RenewalInfo> answer);
  /// Writes windows that are new.
  Task<void> keep(std::vector<DomainId> domains);
  Task<void> keep_again_and_again();
  store::KnownRenewal known(DomainId id) const;
  Time now() const { return ports_.clock().now(); }

  Ports& ports_;
  const Inventory& inventory_;
  Options options_;
  std::function<void()> told_;
  std::unordered_map<DomainId, Watched> watched_;
  std::map<CaName, Queue> queues_;
  std::vector<DomainId> unkept_;     ///< in the order in which they were heard of
  Time sleeps_until_ = Time::max();  ///< until then run() takes no note of what becomes due
  runtime::Wakeup changed_;
};

}  // namespace certherd::fleet
