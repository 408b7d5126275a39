#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "fleet/ports.hpp"
#include "model/issuance.hpp"
#include "policy/ca_limits.hpp"
#include "policy/turns.hpp"
#include "store/store.hpp"

namespace certherd::fleet {

/// The allowance of the store for a bucket at that CA. What counts for an account has the account's
/// name, so that two sections of one account share it; what counts for the CA has the CA's.
runtime::Allowance allowance_of(const policy::CaBucket& bucket, const policy::Rate& rate,
                                const AccountUrl& account, const std::string& authority);

/// What the next order for a domain at that CA is about.
policy::OrderFacts facts_of(const store::DomainRow& row, const CaName& ca, Time now);

/// Keeps to the limits that CAs publish, so that they never have to refuse: before an order, a unit
/// of all that it will draw on is taken from the store. A CA counts an order when it comes and a
/// certificate when it is issued, which is later; so each is settled when its answer has come.
/// Of one executor; used on the loop.
class CaBudget {
 public:
  explicit CaBudget(Ports& ports) : ports_(ports) {}

  /// To be asked before newOrder, and again before each further one. Nothing: go ahead, what it
  /// takes is taken. An error: throttled, not before its retry_at, and nothing was taken.
  /// Errors: the store's.
  Task<Result<std::optional<Error>>> ask(DomainId id, CaName ca, policy::OrderFacts order);
  /// Whether ask() has let it go ahead with an order that has not been sent yet.
  bool may_order(DomainId id) const;

  /// An order of an earlier process, for which that one has taken what it takes.
  void take_over(DomainId id, CaName ca, policy::OrderFacts order);
  bool knows(DomainId id) const { return held_.contains(id); }

  /// The step `before` has led to `after`, by an order that was `placed` where it was that one's.
  /// To be told before it is written down: a kill in between counts twice, and not never.
  /// Errors: the store's.
  Task<Status> passed(DomainId id, Step before, Step after, bool placed);
  /// A step has failed. `over`: no certificate will come of this order. Errors: the store's.
  Task<Status> failed(DomainId id, Issuance issuance, Error error, bool over);
  /// Nothing will come of what ask() has let go ahead. Errors: the store's.
  Task<Status> drop(DomainId id);

 private:
  /// What a domain has taken, or will.
  struct Held {
    CaName ca;
    std::vector<policy::CaDraw> draws;
    bool may_order = false;  ///< and the unit of the order itself is not counted yet
  };

  const policy::Rate& rate_of(const CaPort& port, const policy::CaBucket& bucket) const;
  runtime::Allowance allowance_of(const CaPort& port, const policy::CaBucket& bucket) const;
  void count(const Held& held, int units);
  /// Takes one unit from those that are not counted yet, and gives how many others there are.
  int count_off(const runtime::Allowance& allowance);
  void settle_order(Held& held, bool spent, std::vector<store::Amendment>& amendments);
  void give_back(Held& held, std::vector<store::Amendment>& amendments);

  Ports& ports_;
  std::map<DomainId, Held> held_;
  std::map<std::string, int> uncounted_;  ///< units that the CA has not counted yet
  policy::Turns<std::string> turns_;
  std::map<DomainId, std::string> told_;  ///< who waits for which allowance
};

}  // namespace certherd::fleet
