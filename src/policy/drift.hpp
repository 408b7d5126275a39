#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/certificate.hpp"

namespace certherd::policy {

/// One way in which reality differs from the certificate that a domain has.
struct Drift {
  enum class Kind {
    former,       ///< an earlier certificate of ours is served
    rolling_out,  ///< likewise, while the installation of the present one is still under way
    stranger,     ///< one is served that certherd has not issued for this domain
    revoked,      ///< the present certificate, or the one that is served, was revoked
    vault,        ///< the vault holds another version than the store names, or tells nothing
  };
  Kind kind = Kind::stranger;
  std::string detail;  ///< one sentence for a person
};

std::string_view to_string(Drift::Kind kind);

/// The certificates of one domain as the store knows them.
struct Known {
  const Certificate& current;
  std::vector<Certificate> former;
  bool rolling_out = false;  ///< the present one is on its way, and nothing has failed
};

/// What an endpoint was seen to serve.
struct Sighting {
  Serial serial;
  Fingerprint fingerprint;
  std::string issuer;
  Time not_after{};
};

/// How what is served (nothing: nobody answered) differs from what is known. Empty: it is the
/// present certificate, in good standing.
std::vector<Drift> drift_of(const std::optional<Sighting>& served, const Known& known);

/// How the vault differs; `kept` is the version that it says it holds.
std::optional<Drift> vault_drift(const Result<std::optional<std::string>>& kept,
                                 const Certificate& current);

}  // namespace certherd::policy
