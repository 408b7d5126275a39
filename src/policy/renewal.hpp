#pragma once

#include <optional>
#include <vector>

#include "base/result.hpp"
#include "model/certificate.hpp"
#include "model/renewal.hpp"

namespace certherd::policy {

/// What follows from the CA's answer about a certificate. The moment within a window is drawn once
/// for that window (RFC 9773 section 4.2), by `chance` in [0, 1). The CA is asked again when it has
/// said (`retry_at`), within a minute and a day (section 4.3.2); `spread`, likewise in [0, 1), puts
/// that off by a tenth at most, so that a fleet which began at one moment spreads over time.
/// Without a `retry_at` that is a long-term failure: six hours (section 4.3.3).
Renewal heard(const Renewal& before, RenewalWindow window, std::optional<Time> retry_at,
              double chance, double spread, Time now);

/// What follows from a question that failed: temporary failures back off from a minute to six
/// hours, all others are asked again after six hours (RFC 9773 section 4.3.3). The window that is
/// known stays.
Renewal not_heard(const Renewal& before, const Error& error, double spread, Time now);

/// When the CA is to be asked about this certificate, now or later, by what it said last; nothing:
/// never, since the certificate has ended or been revoked, or says nothing that could be asked
/// about.
std::optional<Time> next_question(const Certificate& certificate, const Renewal& renewal, Time now);

/// Whether an order for these names at `ca` may name it as what it replaces (RFC 9773 section 5):
/// only what this CA issued, and with a name in common, and while it is good.
bool can_be_replaced(const Certificate& certificate, const CaName& ca,
                     const std::vector<Fqdn>& names, Time now);

/// The latest sensible moment to renew a certificate: a tenth of the lifetime before its end, or
/// twice what its issuance took (half of the lifetime at most, two thirds below ten days), and a
/// minute or a half of a very short life.
Time latest_renewal(const Certificate& certificate);

/// Until when a domain with this certificate may wait for a better one: latest_renewal(), or the
/// end of the CA's window where the CA has a reason of its own, as before a revocation: it explains
/// the window, or wants it renewed in the first half of its life. Nothing: not at all, since it has
/// none, or one that has ended, was revoked, or whose key was compromised.
std::optional<Time> may_wait_until(const std::optional<Certificate>& current, Time now);

/// From when a certificate is to be renewed, and why.
struct RenewalMoment {
  Time at{};
  bool asked_by_ca = false;  ///< by its window; false: by age
};

/// By the CA's window where there is one, else at `renew_at` (a share of the lifetime, at most a
/// half below ten days, as Let's Encrypt's integration guide has it), a little earlier for some
/// certificates than for others so that what was issued together is not renewed together. Never
/// later than latest_renewal().
///
/// In the first third of its life a certificate is renewed only if the whole window has passed: a
/// CA whose windows begin before its certificates do would otherwise be asked without end.
RenewalMoment renewal_moment(const Certificate& certificate, double renew_at);

}  // namespace certherd::policy
