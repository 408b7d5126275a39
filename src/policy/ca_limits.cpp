#include "policy/ca_limits.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <set>

#include "policy/public_suffix.hpp"

namespace certherd::policy {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;
using Spent = CaDraw::Spent;

// Let's Encrypt refuses new orders for hours once they are spent, and a certificate that runs out
// cannot wait for a bulk of first ones. A fifth is 60 renewals at once and does not slow down a
// bulk that takes longer than the first burst.
constexpr double kept_for_renewals = 0.2;

constexpr int units_limit = 1'000'000;

/// The shortest exact form, as the config has it.
std::string text_of(Duration period) {
  constexpr std::array<std::pair<std::string_view, Duration>, 5> units = {
      {{"d", 24h}, {"h", 1h}, {"m", 1min}, {"s", 1s}, {"ms", 1ms}}};
  for (const auto& [name, unit] : units) {
    if (period % unit == Duration::zero()) return fmt::format("{}{}", period / unit, name);
  }
  return format_duration(period);
}

std::string joined(std::vector<Fqdn> names) {
  std::ranges::sort(names);
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : " ") + name.text();
  return text;
}

/// The part between the first quotation marks behind `begin`; empty when there is none.
std::string_view quoted_after(std::string_view text, std::string_view begin) {
  const auto at = text.find(begin);
  if (at == std::string_view::npos) return {};
  text.remove_prefix(at + begin.size());
  const auto open = text.find('"');
  if (open == std::string_view::npos) return {};
  text.remove_prefix(open + 1);
  return text.substr(0, text.find('"'));
}

std::string_view remedy(CaLimit limit) {
  switch (limit) {
    case CaLimit::new_orders:
    case CaLimit::certificates_per_domain:
      return "the CA may grant more on request; then the limits of its section have to say so";
    case CaLimit::certificates_for_same_names:
      return "nobody gets more for exactly these names; with a name more or less it is another "
             "certificate";
    case CaLimit::failed_validations:
    case CaLimit::consecutive_failures:
      return "see what makes its validation fail: certherd doctor";
  }
  return {};
}

}  // namespace

double Rate::per_second() const { return units / std::chrono::duration<double>(period).count(); }

Duration Rate::interval() const {
  return std::chrono::ceil<Duration>(std::chrono::duration<double>(1 / per_second()));
}

std::optional<Rate> parse_rate(std::string_view text) {
  Rate rate;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, rate.units);
  if (error != std::errc() || rest == end || *rest != '/') return std::nullopt;
  const auto period = parse_duration({rest + 1, end});
  if (!period || *period == Duration::zero()) return std::nullopt;
  if (rate.units < 1 || rate.units > units_limit) return std::nullopt;
  rate.period = *period;
  return rate;
}

std::string_view to_string(CaLimit limit) {
  switch (limit) {
    case CaLimit::new_orders:
      return "new_orders";
    case CaLimit::certificates_per_domain:
      return "certificates_per_domain";
    case CaLimit::certificates_for_same_names:
      return "certificates_for_same_names";
    case CaLimit::failed_validations:
      return "failed_validations";
    case CaLimit::consecutive_failures:
      return "consecutive_failures";
  }
  return "new_orders";
}

CaLimits CaLimits::of(Preset preset) {
  CaLimits limits{.preset = preset, .rates = {}};
  switch (preset) {
    case Preset::none:
      break;
    case Preset::letsencrypt:
      limits.rates = {{CaLimit::new_orders, {300, 3h}},
                      {CaLimit::certificates_per_domain, {50, days(7)}},
                      {CaLimit::certificates_for_same_names, {5, days(7)}},
                      {CaLimit::failed_validations, {5, 1h}},
                      {CaLimit::consecutive_failures, {1'152, days(1'152)}}};
      break;
    case Preset::letsencrypt_staging:
      limits.rates = {{CaLimit::new_orders, {1'500, 3h}},
                      {CaLimit::certificates_per_domain, {30'000, 1s}},
                      {CaLimit::certificates_for_same_names, {30'000, days(7)}},
                      {CaLimit::failed_validations, {200, 1h}},
                      {CaLimit::consecutive_failures, {3'600, 6h}}};
      break;
  }
  return limits;
}

std::vector<Fqdn> validated_names(const std::vector<Fqdn>& names) {
  std::set<Fqdn> each;
  for (const auto& name : names) each.insert(name.without_wildcard());
  return {each.begin(), each.end()};
}

std::vector<CaDraw> draws_of(const CaLimits& limits, const OrderFacts& order) {
  const bool exempts = limits.preset != CaLimits::Preset::none;
  const bool in_window = exempts && order.within_renewal_window;
  const bool known = exempts && order.same_names_before;
  std::vector<CaDraw> draws;
  const auto add = [&](CaLimit limit, std::string subject, Spent spent, bool asked) {
    if (!limits.rates.contains(limit)) return;
    draws.push_back({.bucket = {limit, std::move(subject)}, .spent = spent, .asked = asked});
  };
  if (!in_window && !known) {
    add(CaLimit::new_orders, "", Spent::by_order, true);
    if (!draws.empty() && order.first) {
      const int units = limits.rates.at(CaLimit::new_orders).units;
      draws.back().kept = static_cast<int>(std::floor(units * kept_for_renewals));
    }
  }
  if (!known) {
    std::set<Fqdn> domains;
    for (const auto& name : order.names) domains.insert(registered_domain(name));
    for (const auto& domain : domains) {
      add(CaLimit::certificates_per_domain, domain.text(), Spent::by_certificate, !in_window);
    }
  }
  add(CaLimit::certificates_for_same_names, joined(order.names), Spent::by_certificate, !in_window);
  for (const auto& name : validated_names(order.names)) {
    add(CaLimit::failed_validations, name.text(), Spent::by_failure, !in_window);
    // What is paused is paused for every order.
    add(CaLimit::consecutive_failures, name.text(), Spent::by_failure, true);
  }
  return draws;
}

// The words of ratelimits/limiter.go.
CaBucket bucket_of(const Problem& problem, const std::vector<Fqdn>& names) {
  const std::string_view detail = problem.detail;
  const auto known = [&names](std::string_view text, auto of) {
    return std::ranges::any_of(names, [&](const Fqdn& name) { return of(name).text() == text; });
  };
  if (detail.contains("already issued for this exact set of")) {
    return {CaLimit::certificates_for_same_names, joined(names)};
  }
  const auto domain = quoted_after(detail, "already issued for");
  if (known(domain, registered_domain)) {
    return {CaLimit::certificates_per_domain, std::string(domain)};
  }
  const auto name = quoted_after(detail, "too many failed authorizations");
  if (known(name, [](const Fqdn& each) { return each.without_wildcard(); })) {
    return {CaLimit::failed_validations, std::string(name)};
  }
  return {CaLimit::new_orders, ""};
}

std::string words_of(const CaBucket& bucket, const Rate& rate, std::string_view ca) {
  const auto period = text_of(rate.period);
  switch (bucket.limit) {
    case CaLimit::new_orders:
      return fmt::format("{} new orders in {} at {}", rate.units, period, ca);
    case CaLimit::certificates_per_domain:
      return fmt::format("{} certificates for {} in {} at {}", rate.units, bucket.subject, period,
                         ca);
    case CaLimit::certificates_for_same_names:
      return fmt::format("{} certificates for the same names in {} at {}", rate.units, period, ca);
    case CaLimit::failed_validations:
      return fmt::format("{} failed validations of {} in {} at {}", rate.units, bucket.subject,
                         period, ca);
    case CaLimit::consecutive_failures:
      return fmt::format("{} failed validations of {} one after another at {}", rate.units,
                         bucket.subject, ca);
  }
  return {};
}

Error limit_reached(const CaBucket& bucket, const Rate& rate, std::string_view ca, Time at) {
  Error error;
  error.kind = Error::Kind::throttled;
  error.op = limit_op;
  error.detail =
      fmt::format("{} are all that it allows: this one's turn comes at {} by itself ({})",
                  words_of(bucket, rate, ca), format_time(at), remedy(bucket.limit));
  error.retry_at = at;
  return error;
}

bool is_limit_reached(const std::optional<Error>& error) {
  return error && error->kind == Error::Kind::throttled && error->op == limit_op;
}

}  // namespace certherd::policy
