#include "policy/renewal.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>

namespace certherd::policy {
namespace {

using namespace std::chrono_literals;

constexpr Duration shortest_poll = 1min;
constexpr Duration longest_poll = 24h;
constexpr Duration long_failure = 6h;
constexpr Duration first_pause = 1min;
constexpr int most_doublings = 9;  // beyond them long_failure is reached

constexpr Duration short_life = std::chrono::days(10);
constexpr double short_life_share = 0.5;
// One issuance may take seconds, and the next one a minute: values travel, a CA is busy.
constexpr Duration shortest_reserve = 1min;
// Of the lifetime: how far apart those are renewed that were issued together.
constexpr double widest_spread = 0.02;

Duration share(Duration whole, double part) {
  return std::chrono::duration_cast<Duration>(
      std::chrono::duration<double, std::micro>(static_cast<double>(whole.count()) * part));
}

bool is_temporary(const Error& error) {
  return error.kind == Error::Kind::transient || error.kind == Error::Kind::throttled ||
         error.kind == Error::Kind::deadline;
}

/// In [0, 1), the same for the same certificate and as good as drawn for others.
double chance_of(const Certificate& certificate) {
  constexpr std::size_t digits = 8;
  const auto& text = certificate.fingerprint.text();
  std::uint32_t number = 0;
  const char* const begin = text.data();
  std::from_chars(begin, begin + std::min(digits, text.size()), number, 16);
  return number / 4294967296.0;
}

}  // namespace

Renewal heard(const Renewal& before, RenewalWindow window, std::optional<Time> retry_at,
              double chance, double spread, Time now) {
  Renewal after = before;
  const bool moved =
      !before.window || before.window->start != window.start || before.window->end != window.end;
  if (moved) after.at = window.start + share(window.end - window.start, chance);
  after.window = std::move(window);
  const auto pause =
      retry_at ? std::clamp(*retry_at - now, shortest_poll, longest_poll) : long_failure;
  after.poll_at = now + pause + share(pause / 10, spread);
  after.failures = 0;
  return after;
}

Renewal not_heard(const Renewal& before, const Error& error, double spread, Time now) {
  Renewal after = before;
  after.failures += 1;
  Duration pause = long_failure;
  if (is_temporary(error)) {
    pause = std::min(long_failure, first_pause * (1 << std::min(before.failures, most_doublings)));
  }
  after.poll_at = now + pause + share(pause / 10, spread);
  if (error.retry_at) {
    after.poll_at =
        std::clamp(*error.retry_at, after.poll_at, std::max(after.poll_at, now + longest_poll));
  }
  return after;
}

std::optional<Time> next_question(const Certificate& certificate, const Renewal& renewal,
                                  Time now) {
  const bool over = certificate.not_after <= now || certificate.revoked_at.has_value();
  if (over || certificate.ari_id.empty()) return std::nullopt;
  // A clock that was ahead may have put it off further than any answer does.
  const Time poll_at = renewal.poll_at;
  return poll_at > now + 2 * longest_poll ? now : std::max(poll_at, now);
}

bool can_be_replaced(const Certificate& certificate, const CaName& ca,
                     const std::vector<Fqdn>& names, Time now) {
  if (certificate.ca != ca || certificate.ari_id.empty()) return false;
  if (certificate.revoked_at || certificate.not_after <= now) return false;
  return std::ranges::any_of(certificate.names, [&names](const Fqdn& name) {
    return std::ranges::find(names, name) != names.end();
  });
}

Time latest_renewal(const Certificate& certificate) {
  const Duration lifetime = certificate.not_after - certificate.not_before;
  const auto reserve = std::max(
      {lifetime / 10, 2 * certificate.issued_in, std::min(shortest_reserve, lifetime / 2)});
  // Days were not spent on the issuance: it was put off for a failure, or a clock was wrong.
  const auto longest = lifetime < short_life ? 2 * (lifetime / 3) : lifetime / 2;
  return certificate.not_after - std::min(reserve, longest);
}

std::optional<Time> may_wait_until(const std::optional<Certificate>& current, Time now) {
  const bool good =
      current && current->not_after > now && !current->revoked_at && !current->key_compromised();
  if (!good) return std::nullopt;
  const Time latest = latest_renewal(*current);
  const auto& window = current->renewal.window;
  if (!window) return latest;
  const Time half = current->not_before + (current->not_after - current->not_before) / 2;
  const bool meant = !window->explanation_url.empty() || window->end < half;
  return meant ? std::min(latest, window->end) : latest;
}

RenewalMoment renewal_moment(const Certificate& certificate, double renew_at) {
  const Duration lifetime = certificate.not_after - certificate.not_before;
  const Time latest = latest_renewal(certificate);

  if (const auto& window = certificate.renewal.window) {
    const Time settled = certificate.not_before + lifetime / 3;
    Time at = certificate.renewal.at;
    if (at < settled) at = std::min(settled, std::max(at, window->end));
    return {.at = std::min(at, latest), .asked_by_ca = at <= latest};
  }
  const double part = lifetime < short_life ? std::min(renew_at, short_life_share) : renew_at;
  const Time by_age = certificate.not_before + share(lifetime, part) -
                      share(lifetime, widest_spread * chance_of(certificate));
  return {.at = std::min(by_age, latest), .asked_by_ca = false};
}

}  // namespace certherd::policy
