#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "model/fqdn.hpp"
#include "model/identifiers.hpp"
#include "model/key_type.hpp"
#include "model/renewal.hpp"
#include "model/revocation.hpp"

namespace certherd {

/// Where a vault keeps the three parts: ARNs, or paths.
struct VaultReferences {
  std::string csr;
  std::string private_key;
  std::string fullchain;

  bool operator==(const VaultReferences&) const = default;
};

/// How an installation ended, by the words of docs/output.md.
enum class Installed { installed, unchanged, failed };

/// What was issued for a domain.
struct Certificate {
  DomainId domain_id{};
  Fqdn domain;
  Serial serial;
  std::vector<Fqdn> names;
  std::string issuer;  ///< the issuer's common name, else its whole distinguished name
  Time not_before;
  Time not_after;
  Fingerprint fingerprint;
  std::string ari_id;   ///< RFC 9773 section 4.1; empty when the leaf has no key identifier
  CaName ca;            ///< that issued it; empty when it was kept before that was written down
  std::string profile;  ///< under which the CA issued it; empty where it has none or did not say
  std::optional<KeyType> key_type;  ///< nothing when it was kept before that was written down
  Duration issued_in{};             ///< from the beginning of its issuance until it was seen served
  VaultName vault_name;
  VaultReferences vault;
  std::map<TargetName, Installed> targets;
  /// Until when its first installation may wait for the domain's window, since the certificate
  /// before it does until then; nothing: not at all.
  std::optional<Time> install_by;
  std::optional<bool> served;  ///< nothing: not looked at, or nowhere to look
  std::optional<RevocationReason> revocation_reason;  ///< set before the CA is asked to revoke it
  std::optional<Time> revoked_at;                     ///< when the CA was seen to have done so

  /// What the CA has said of its renewal. Not part of what is written with a certificate: the
  /// store keeps it apart, and fills it in for a current one.
  Renewal renewal;

  /// Whether a revocation is wanted that the CA has not confirmed yet.
  bool revoking() const { return revocation_reason && !revoked_at; }
  /// Whether its key must not be used any more, confirmed or not.
  bool key_compromised() const { return revocation_reason == RevocationReason::key_compromise; }
};

}  // namespace certherd
