#include "policy/alarms.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/utf8.hpp"
#include "policy/maintenance_window.hpp"

namespace certherd::policy {
namespace {

using Kind = Alarm::Kind;

// Of its lifetime. Less than the third that is left when a renewal is due: it has failed by then.
constexpr int share_to_warn = 5;

/// What others said may be long, and tell more by its beginning.
std::string in_short(const Error& error) {
  constexpr std::size_t most = 600;
  auto words = cleaned(error.message());
  if (words.size() <= most) return words;
  std::size_t end = most;
  while (end > 0 && (static_cast<unsigned char>(words[end]) & 0xC0U) == 0x80U) --end;
  return words.substr(0, end) + "…";
}

/// Boulder's pause of a name comes as a rate limit without an end (acme/problem.cpp).
bool is_paused(const Error& error) {
  return error.kind == Error::Kind::rejected && error.problem &&
         error.problem->is_acme("rateLimited");
}

bool takes_a_person(const Error& error) {
  return error.kind == Error::Kind::denied || error.kind == Error::Kind::misconfigured ||
         is_paused(error);
}

/// That a certificate is not served has an alarm of its own.
bool is_missing_proof(const Error& error, const std::optional<Certificate>& certificate) {
  return certificate && certificate->served == false && error.op.starts_with("prove");
}

std::optional<std::string> failing(const Watched& watched, bool stands) {
  const int failures = watched.domain.failures;
  const auto& error = watched.domain.last_error;
  if (!error || failures == 0) return std::nullopt;
  if (!stands) {
    if (error->kind == Error::Kind::throttled) return std::nullopt;
    if (is_missing_proof(*error, watched.certificate)) return std::nullopt;
    if (failures < 2 && !takes_a_person(*error)) return std::nullopt;
  }
  const auto& name = watched.domain.name;
  if (takes_a_person(*error)) {
    return fmt::format("work on {} cannot go on until somebody mends this: {}", name,
                       in_short(*error));
  }
  return fmt::format(
      "work on {} has failed {} times in a row: {}; look for the cause with: "
      "certherd doctor {}",
      name, failures, in_short(*error), name);
}

/// From when a certificate is one that ends soon.
Time soon(Time not_before, Time not_after, Duration warn_before) {
  return not_after - std::min(warn_before, (not_after - not_before) / share_to_warn);
}

bool ends_soon(Time not_before, Time not_after, Duration warn_before, Time now) {
  return soon(not_before, not_after, warn_before) <= now;
}

std::string when(Time not_after, Time now) {
  if (not_after <= now) return fmt::format("ended at {}", format_time(not_after));
  return fmt::format("ends at {}, in {}", format_time(not_after), format_duration(not_after - now));
}

/// Why the domain has no better certificate, and what to do.
std::string why_not_renewed(const Watched& watched, Time now) {
  const auto& domain = watched.domain;
  if (is_held(domain, now) && !watched.working) {
    const bool has_end = domain.hold != "yes";
    return fmt::format(
        "nothing is begun for it by itself, since it is held{}: end that with: certherd domain set "
        "{} hold=, or replace it all the same with: certherd issue {}",
        has_end ? " until " + domain.hold : "", domain.name, domain.name);
  }
  if (domain.last_error) {
    return fmt::format("it could not be replaced: {}; look for the cause with: certherd doctor {}",
                       in_short(*domain.last_error), domain.name);
  }
  return fmt::format("it has not been replaced yet; see what holds it back with: certherd plan {}",
                     domain.name);
}

std::optional<std::string> expiring(const Watched& watched, Duration warn_before, Time now) {
  const auto& domain = watched.domain;
  const auto& certificate = watched.certificate;
  if (certificate && ends_soon(certificate->not_before, certificate->not_after, warn_before, now)) {
    return fmt::format("certificate {} of {} {}, and {}", certificate->serial, domain.name,
                       when(certificate->not_after, now), why_not_renewed(watched, now));
  }
  const bool waits = domain.last_error || is_held(domain, now);
  if (certificate && certificate->revoked_at && waits) {
    return fmt::format("certificate {} of {} was revoked at {}, and {}", certificate->serial,
                       domain.name, format_time(*certificate->revoked_at),
                       why_not_renewed(watched, now));
  }
  const auto old = std::ranges::find_if(watched.seen, [&](const Seen& seen) {
    return ends_soon(seen.not_before, seen.not_after, warn_before, now);
  });
  if (old == watched.seen.end()) return std::nullopt;
  const auto served = fmt::format("{} serves certificate {} of {}, which {}", old->endpoint.text(),
                                  old->serial, old->issuer, when(old->not_after, now));
  if (certificate) {
    return fmt::format("{}; {} has {} until {}, install it with: certherd deploy {}", served,
                       domain.name, certificate->serial, format_time(certificate->not_after),
                       domain.name);
  }
  return fmt::format("{}, and {} has no certificate of ours yet; get one with: certherd issue {}",
                     served, domain.name, domain.name);
}

bool is_installed(const Certificate& certificate) {
  const auto failed = [](const auto& target) { return target.second == Installed::failed; };
  return !certificate.targets.empty() && std::ranges::none_of(certificate.targets, failed);
}

std::optional<std::string> not_served(const Watched& watched, bool stands) {
  const auto& certificate = watched.certificate;
  if (!certificate) return std::nullopt;
  const auto& name = watched.domain.name;
  const auto remedy = fmt::format(
      "look at its targets, then install it again with: "
      "certherd deploy {}",
      name);
  // While another certificate is on its way, that the last one was missing is all that is known.
  if (certificate->served == false || (stands && watched.working && !certificate->served)) {
    const auto& error = watched.domain.last_error;
    const bool told = error && is_missing_proof(*error, certificate);
    return fmt::format("certificate {} of {} was installed and is not served{}; {}",
                       certificate->serial, name, told ? ": " + in_short(*error) : "", remedy);
  }
  if (watched.working || !is_installed(*certificate)) return std::nullopt;
  const auto other = std::ranges::find_if(watched.seen, [&certificate](const Seen& seen) {
    return seen.fingerprint != certificate->fingerprint;
  });
  if (other == watched.seen.end()) return std::nullopt;
  return fmt::format("{} serves certificate {} of {}, valid until {}, instead of {} of {}; {}",
                     other->endpoint.text(), other->serial, other->issuer,
                     format_time(other->not_after), certificate->serial, name, remedy);
}

}  // namespace

std::vector<Alarm> alarms_of(const Watched& watched, const std::set<Kind>& standing,
                             Duration warn_before, Time now) {
  std::vector<Alarm> alarms;
  if (!watched.domain.enabled) return alarms;
  const auto add = [&](Kind kind, std::optional<std::string> detail) {
    const bool by_sight = kind == Kind::expiring || kind == Kind::not_served;
    // It stands already, so its words are told.
    if (by_sight && !watched.looked_at && standing.contains(kind) && !detail) detail.emplace();
    if (!detail) return;
    alarms.push_back({.key = {.kind = kind, .domain = watched.domain.name},
                      .since = now,
                      .detail = std::move(*detail)});
  };
  add(Kind::failing, failing(watched, standing.contains(Kind::failing)));
  add(Kind::expiring, expiring(watched, warn_before, now));
  add(Kind::not_served, not_served(watched, standing.contains(Kind::not_served)));
  return alarms;
}

Time alarms_change_at(const Watched& watched, Duration warn_before, Time now) {
  Time first = Time::max();
  const auto at = [&](Time moment) {
    if (moment > now) first = std::min(first, moment);
  };
  if (!watched.domain.enabled) return first;
  if (const auto& certificate = watched.certificate) {
    at(soon(certificate->not_before, certificate->not_after, warn_before));
  }
  for (const auto& seen : watched.seen) at(soon(seen.not_before, seen.not_after, warn_before));
  at(hold_end(watched.domain.hold).value_or(Time::min()));
  return first;
}

Alarm account_alarm(const CaName& ca, const Error& why, Time now) {
  return {.key = {.kind = Kind::account, .ca = ca},
          .since = now,
          .detail = fmt::format("[ca.{0}] cannot be used, and no domain gets a certificate there: "
                                "{1}; look at it with: certherd account show --ca {0}",
                                ca, in_short(why))};
}

std::string ending_of(const Alarm& alarm, const Watched* watched) {
  const auto& [kind, name, ca] = alarm.key;
  if (kind == Kind::account) return fmt::format("[ca.{}] can be used again", ca);
  if (watched == nullptr) return fmt::format("{} is in the inventory no more", name);
  if (!watched->domain.enabled) return fmt::format("{} is disabled", name);
  const auto& certificate = watched->certificate;
  if (!certificate) return fmt::format("{} does not fail any more", name);
  switch (kind) {
    case Kind::failing:
      return fmt::format("{} does not fail any more; it has certificate {}, valid until {}", name,
                         certificate->serial, format_time(certificate->not_after));
    case Kind::not_served:
      if (certificate->served == true) {
        return fmt::format("certificate {} of {} is served", certificate->serial, name);
      }
      return fmt::format("{} is not seen to serve anything else any more", name);
    case Kind::expiring:
    case Kind::account:
      break;
  }
  return fmt::format("{} has certificate {}, valid until {}", name, certificate->serial,
                     format_time(certificate->not_after));
}

}  // namespace certherd::policy
