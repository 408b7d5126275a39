#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/certificate.hpp"
#include "model/identifiers.hpp"

namespace certherd {

/// The steps of one issuance, in order. Each is written to the store before it is begun.
enum class Step {
  create_key,  ///< make key and CSR, seal them
  new_order,   ///< ask the CA for an order
  authorize,   ///< fetch the authorizations, pick dns-01, find where each value goes
  publish,     ///< write the TXT values
  propagate,   ///< see them on every authoritative name server
  answer,      ///< tell the CA to look
  validate,    ///< wait until the order is ready
  finalize,    ///< send the CSR: the only step that spends a certificate
  poll_order,  ///< wait for the certificate
  download,    ///< fetch and check the chain
  store,       ///< put it in the vault
  install,     ///< put it on the targets
  prove,       ///< see the new serial served
  clean_up,    ///< remove what earlier certificates left at the targets
  done,
  failed,
};

std::string_view to_string(Step step);
std::optional<Step> parse_step(std::string_view text);

/// One pending dns-01 challenge of an order.
struct PendingChallenge {
  AuthorizationUrl authorization;
  ChallengeUrl url;
  Fqdn identifier;  ///< the name being authorized, without `*.`
  Fqdn record;      ///< where the value stands once CNAMEs are followed
  Fqdn zone_name;   ///< apex of the zone that holds `record`
  ZoneId zone_id;   ///< that zone at the provider
  TxtValue value;
  Ticket ticket;  ///< the provider's handle on the batch that wrote it; empty before

  bool operator==(const PendingChallenge&) const = default;
};

/// One attempt to get a certificate, from key to proof: a row of the store. At most one is
/// active for a domain. The sealed fields are opaque texts of crypto::Sealer.
struct Issuance {
  IssuanceId id{};
  DomainId domain_id{};
  Fqdn domain;
  std::vector<Fqdn> names;
  CaName ca;
  std::int64_t revision = 0;  ///< counts commits; a commit names the one it builds on
  Step step = Step::create_key;
  Time created_at{};
  Time next_at{};    ///< nothing is to be done before this
  int attempts = 0;  ///< failures of the present step one after another
  int polls = 0;     ///< looks of the present step that found it not ready yet
  std::optional<Time>
      step_deadline;  ///< when the present wait (propagation, finalize, proof) is over
  std::optional<Error> last_error;

  std::string sealed_key;
  std::string csr;                  ///< DER in base64url, as finalize sends it
  std::optional<KeyType> key_type;  ///< of that key
  std::string profile;              ///< of the order, as the CA has echoed it
  bool order_unsure = false;        ///< newOrder may have reached the CA although we hold no URL
  OrderUrl order_url;
  AccountUrl account;       ///< whose order it is; empty when not known
  std::string account_key;  ///< thumbprint of the key behind the challenge values; empty likewise
  FinalizeUrl finalize_url;
  std::vector<AuthorizationUrl> authorizations;
  std::vector<PendingChallenge> challenges;
  CertificateUrl certificate_url;
  std::string fullchain;                   ///< PEM, leaf first; set by download
  std::optional<Certificate> certificate;  ///< set by download, filled by the steps after it

  bool active() const { return step != Step::done && step != Step::failed; }

  /// Whether its challenge values may still be looked at by the CA.
  bool needs_challenges() const { return step >= Step::publish && step <= Step::validate; }
};

}  // namespace certherd
