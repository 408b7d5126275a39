#pragma once

#include <array>
#include <compare>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/problem.hpp"
#include "base/result.hpp"
#include "model/fqdn.hpp"

namespace certherd::policy {

/// So many units come back in a period, evenly, and there are never more of them: 300 in 3 h are
/// one every 36 s, and 300 at one moment.
struct Rate {
  int units = 1;
  Duration period{};

  double per_second() const;
  /// Until one unit has come back.
  Duration interval() const;

  bool operator==(const Rate&) const = default;
};

/// Reads "300/3h". Nothing when it is not of that form, or zero.
std::optional<Rate> parse_rate(std::string_view text);

/// What a CA limits.
enum class CaLimit {
  new_orders,                   ///< of an account
  certificates_per_domain,      ///< for a registered domain, whoever asks
  certificates_for_same_names,  ///< for exactly these, whoever asks
  failed_validations,           ///< of a name by an account
  consecutive_failures,         ///< of a name by an account, until one succeeds: then it is paused
};

inline constexpr std::array all_ca_limits = {
    CaLimit::new_orders, CaLimit::certificates_per_domain, CaLimit::certificates_for_same_names,
    CaLimit::failed_validations, CaLimit::consecutive_failures};

/// The key of the config, such as "new_orders".
std::string_view to_string(CaLimit limit);

/// The limits that a CA publishes.
struct CaLimits {
  enum class Preset { none, letsencrypt, letsencrypt_staging };

  Preset preset = Preset::none;
  std::map<CaLimit, Rate> rates;  ///< what is not here has no limit

  /// Let's Encrypt's own (letsencrypt.org/docs/rate-limits and /docs/staging-environment, both of
  /// 2026), or none.
  static CaLimits of(Preset preset);

  bool operator==(const CaLimits&) const = default;
};

/// An order, as far as limits go.
struct OrderFacts {
  std::vector<Fqdn> names;
  /// The CA has issued for exactly these names within the last same_names_within.
  bool same_names_before = false;
  /// It says what it replaces, and comes within the window that the CA suggests (RFC 9773).
  bool within_renewal_window = false;
  /// The domain has no certificate yet: it leaves alone what is kept for renewals.
  bool first = true;
};

/// So long Boulder remembers for whose names it has issued (ratelimits of 2026-08).
inline constexpr Duration same_names_within = std::chrono::days(120);

/// One allowance of a limit.
struct CaBucket {
  CaLimit limit;
  std::string subject;  ///< registered domain, name, or all names with blanks; empty: the account

  auto operator<=>(const CaBucket&) const = default;
};

/// What an order has to do with an allowance.
struct CaDraw {
  enum class Spent { by_order, by_certificate, by_failure };

  CaBucket bucket;
  Spent spent;        ///< when the CA takes a unit of it
  bool asked = true;  ///< the CA refuses the order when it is empty
  int kept = 0;       ///< so many units have to be left for others

  bool operator==(const CaDraw&) const = default;
};

/// All that an order draws on, with the exemptions that Boulder grants (wfe2 and ratelimits of
/// 2026-08): names that it has certified before are exempt from the limits on new orders and on
/// registered domains, and what comes within its renewal window from all. What is exempt from being
/// asked is spent all the same when it issues. A CA without a preset is not known to exempt
/// anything.
std::vector<CaDraw> draws_of(const CaLimits& limits, const OrderFacts& order);

/// The names that count for themselves where validations fail: each once, without its `*.`.
std::vector<Fqdn> validated_names(const std::vector<Fqdn>& names);

/// Which allowance a refusal (429, rateLimited) is about, by the words of Boulder; the one of new
/// orders where they are not known.
CaBucket bucket_of(const Problem& problem, const std::vector<Fqdn>& names);

/// For people: "300 new orders in 3h at letsencrypt".
std::string words_of(const CaBucket& bucket, const Rate& rate, std::string_view ca);

/// The `op` of an error that tells of a limit that we keep to ourselves, before the CA has to.
inline constexpr std::string_view limit_op = "keep to the CA's limits";

/// Why an order waits: throttled until `at`, with what can be done about it.
Error limit_reached(const CaBucket& bucket, const Rate& rate, std::string_view ca, Time at);

/// Whether it is one of these.
bool is_limit_reached(const std::optional<Error>& error);

}  // namespace certherd::policy
