#pragma once

#include <string>
#include <vector>

#include "model/domain.hpp"
#include "model/identifiers.hpp"

namespace certherd::policy {

/// The domain that a name on a certificate stands for. A `*.` before it falls away, and so does
/// `www.`, unless nothing but a public suffix or a single label is behind it: apex, www and
/// wildcard are one domain, and belong on one certificate.
Fqdn domain_behind(const Fqdn& name);

/// The domains for which a certificate with these names stands, in order. A name that one of its
/// wildcards covers belongs to the wildcard's domain; what is no host name is passed over. With
/// more than one the certificate is shared.
std::vector<Fqdn> domains_behind(const std::vector<std::string>& names);

/// A certificate as it was seen somewhere.
struct SeenCertificate {
  Endpoint endpoint;  ///< as it stands in the inventory or in a list
  Fingerprint fingerprint;
  Serial serial;
  std::string issuer;
  Time not_after{};
  std::vector<std::string> names;
};

/// What a domain that shares a certificate is to have instead: one for itself.
struct OwnCertificate {
  enum class State {
    added,    ///< it is not in the inventory by itself
    changed,  ///< it is, with names of other domains or without some of its own
    present,  ///< it is, just like that: it only has to be issued and installed
  };
  State state = State::added;
  Domain domain;
  Fqdn registered_domain;
};

/// A certificate that stands for several domains.
struct SharedCertificate {
  SeenCertificate seen;             ///< where it was seen first
  std::vector<Endpoint> endpoints;  ///< everywhere where it was seen, in order
  std::vector<Fqdn> domains;        ///< of `Split::own` those that stand on it, by primary name
  std::vector<Fqdn> registered_domains;
};

/// A name that no domain can be made of.
struct LeftOut {
  std::string name;
  std::string reason;
};

struct Split {
  std::vector<SharedCertificate> shared;  ///< what ends first comes first
  std::vector<OwnCertificate> own;        ///< by name
  std::vector<LeftOut> left_out;          ///< by name
};

/// Finds the certificates that several domains share, and proposes one for each of these domains.
///
/// What the inventory knows stays: a domain of its own keeps its primary name and choices, and one
/// that is only a further name of another takes over that one's choices. All names of an inventory
/// domain that is changed are proposed again, so that none is lost. A domain under whose registered
/// domain nothing of `looked_at` or of the inventory is may be somebody else's, as on a CDN's
/// certificate: it is proposed disabled. `looked_at` are all hosts that were asked, whatever came
/// of it.
Split split_shared(const std::vector<SeenCertificate>& seen, const std::vector<Fqdn>& looked_at,
                   const std::vector<Domain>& inventory);

}  // namespace certherd::policy
