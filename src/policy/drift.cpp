#include "policy/drift.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace certherd::policy {
namespace {

std::string revocation(const Certificate& certificate) {
  const auto reason = certificate.revocation_reason
                          ? fmt::format(" ({})", to_string(*certificate.revocation_reason))
                          : std::string();
  return fmt::format("certificate {} was revoked at {}{}", certificate.serial,
                     format_time(*certificate.revoked_at), reason);
}

}  // namespace

std::string_view to_string(Drift::Kind kind) {
  switch (kind) {
    case Drift::Kind::former:
      return "former";
    case Drift::Kind::rolling_out:
      return "rolling_out";
    case Drift::Kind::stranger:
      return "stranger";
    case Drift::Kind::revoked:
      return "revoked";
    case Drift::Kind::vault:
      return "vault";
  }
  return "stranger";
}

std::vector<Drift> drift_of(const std::optional<Sighting>& served, const Known& known) {
  using enum Drift::Kind;
  const auto& current = known.current;
  std::vector<Drift> drift;
  if (current.revoked_at) drift.push_back({.kind = revoked, .detail = revocation(current)});
  if (!served || served->fingerprint == current.fingerprint) return drift;

  const auto old = std::ranges::find(known.former, served->fingerprint, &Certificate::fingerprint);
  if (old == known.former.end()) {
    drift.push_back(
        {.kind = stranger,
         .detail = fmt::format("serves certificate {} of {}, valid until {}, which is "
                               "none of ours for {}; ours is {}",
                               served->serial, served->issuer, format_time(served->not_after),
                               current.domain, current.serial)});
    return drift;
  }
  if (old->revoked_at) drift.push_back({.kind = revoked, .detail = revocation(*old)});
  drift.push_back(
      {.kind = known.rolling_out ? rolling_out : former,
       .detail = fmt::format("serves our former certificate {}, valid until {}, {} {}", old->serial,
                             format_time(old->not_after),
                             known.rolling_out ? "while it is being replaced by" : "instead of",
                             current.serial)});
  return drift;
}

std::optional<Drift> vault_drift(const Result<std::optional<std::string>>& kept,
                                 const Certificate& current) {
  if (kept && *kept && **kept == current.serial.text()) return std::nullopt;
  Drift drift{.kind = Drift::Kind::vault, .detail = {}};
  if (!kept) {
    drift.detail = fmt::format("the vault does not tell what it holds: {}", kept.error().message());
  } else if (!*kept) {
    drift.detail = fmt::format("[vault.{}] holds nothing for it; our certificate is {}",
                               current.vault_name, current.serial);
  } else {
    drift.detail = fmt::format("[vault.{}] holds {} instead of {}", current.vault_name, **kept,
                               current.serial);
  }
  return drift;
}

}  // namespace certherd::policy
