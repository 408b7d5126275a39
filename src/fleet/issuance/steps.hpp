#pragma once

#include "crypto/x509.hpp"
#include "fleet/ports.hpp"
#include "model/issuance.hpp"
#include "store/store.hpp"

namespace certherd::fleet {

/// Where a step has led, and what is to be written together with it.
struct Advance {
  Issuance issuance;
  store::Changes changes;
  /// It looked, and found nothing new: only `polls` and `next_at` differ, and need not be written.
  bool only_waits = false;
};

using StepResult = Result<Advance>;

/// The steps of one issuance, top to bottom as in RFC 8555: each does one thing outside and
/// returns the row with its next step, or why it could not. None of them waits: a row that has to
/// wait says until when in next_at. Owned by the executor, used on the loop, any number at once.
class Steps {
 public:
  explicit Steps(Ports& ports) : ports_(ports) {}

  /// Does what `issuance.step` says; the issuance must be active. With `look_first` the step may
  /// have been begun before (the process died, the reply was lost): what has already happened is
  /// found and taken up. The caller commits what is returned. After an error the row in the store
  /// counts and not the one that was given: some steps commit on their way.
  /// Errors: rejected ends the issuance; with all others the same step may be tried again.
  Task<StepResult> take(Issuance issuance, Domain domain, bool look_first);

 private:
  /// Whether the order belongs to an account that is no longer used, or its challenge values to a
  /// key that the account has no more.
  bool has_lost_its_order(const Issuance& issuance) const;
  bool has_outdated_values(const Issuance& issuance) const;
  Task<StepResult> order_anew(Issuance issuance);
  Task<StepResult> authorize_anew(Issuance issuance);

  Task<StepResult> create_key(Issuance issuance, Domain domain);
  Task<StepResult> new_order(Issuance issuance, Domain domain, bool look_first);
  Task<StepResult> authorize(Issuance issuance, Domain domain);
  Task<StepResult> publish(Issuance issuance, Domain domain);
  Task<StepResult> propagate(Issuance issuance, Domain domain);
  Task<StepResult> answer(Issuance issuance);
  Task<StepResult> validate(Issuance issuance);
  Task<StepResult> finalize(Issuance issuance, bool look_first);
  Task<StepResult> poll_order(Issuance issuance);
  Task<StepResult> download(Issuance issuance);
  Task<StepResult> store(Issuance issuance, Domain domain);
  Task<StepResult> install(Issuance issuance, Domain domain);
  Task<StepResult> prove(Issuance issuance, Domain domain);
  Task<StepResult> clean_up(Issuance issuance, Domain domain);

  /// The zone in which a value is to be written. Errors: the provider's.
  Task<Result<dns::Zone>> zone_of(Domain domain, Fqdn identifier, dns::Location location,
                                  dns::Provider* provider);
  /// What is asked of the CA for this issuance. Errors: the store's.
  Task<Result<acme::NewOrder>> order_of(Issuance issuance, Domain domain);
  /// Goes on with an order that is not there to be finalized.
  /// Errors: misconfigured, when this machine and the CA do not agree what time it is.
  Status check_clock(const acme::Order& order) const;
  Task<StepResult> not_ready(Issuance issuance, acme::Order order);
  /// Goes on from what the CA says of an order whose certificate was asked for.
  StepResult after_finalize(Issuance issuance, acme::Order order) const;
  /// Every authorization that failed, with the CA's words, for an order that is invalid.
  Task<Error> why_invalid(Issuance issuance, acme::Order order);
  /// Holds a chain against key and names of the issuance.
  Result<crypto::CertificateInfo> check_chain(const Issuance& issuance,
                                              const std::string& pem) const;
  struct ChosenChain {
    std::string pem;
    std::vector<Event> events;
  };
  /// The chain of this leaf that the config prefers, else the CA's default. Errors: transient, when
  /// another look may find it.
  Task<Result<ChosenChain>> choose_chain(Issuance issuance, acme::Chain offered, Fingerprint leaf);
  /// Errors: rejected when the key of this CSR (DER in base64url) was compromised.
  Task<Status> check_key(std::string csr);
  Result<Material> material_of(const Issuance& issuance) const;

  const CaPort& ca(const Issuance& issuance) const { return ports_.cas.at(issuance.ca); }
  Time now() const { return ports_.clock().now(); }
  Event event(const Issuance& issuance, std::string name,
              std::map<std::string, std::string> detail = {}) const;
  /// The next step, to be begun at once.
  Advance next(Issuance issuance, Step step, std::vector<Event> events) const;
  /// The same step again after a pause that grows with the time already spent in it.
  Advance again(Issuance issuance, std::optional<Time> not_before,
                Duration longest = longest_poll) const;

  static constexpr Duration longest_poll = std::chrono::seconds(30);

  Ports& ports_;
};

/// What the private key of a domain is sealed for.
std::string key_purpose(const Fqdn& domain);

}  // namespace certherd::fleet
