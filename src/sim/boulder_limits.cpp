#include "sim/boulder_limits.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

namespace certherd::sim {
namespace {

using std::chrono::nanoseconds;

/// As Go prints it.
std::string go_text(nanoseconds period) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(period).count();
  return fmt::format("{}h{}m{}s", seconds / 3'600, seconds / 60 % 60, seconds % 60);
}

std::string date_of(Time time) {
  auto text = format_time(time);
  text.at(10) = ' ';
  text.pop_back();
  return text + " UTC";
}

}  // namespace

BoulderLimits::Limit BoulderLimits::divided(Limit limit) const {
  return {.count = limit.count, .period = limit.period / options_.divided_by};
}

std::vector<std::string> BoulderLimits::registered_domains(
    const std::vector<std::string>& names) const {
  std::set<std::string> domains;
  for (const auto& name : names) {
    auto begin = name.size();
    for (int i = 0; i < options_.registered_labels && begin != std::string::npos; ++i) {
      begin = begin == 0 ? std::string::npos : name.rfind('.', begin - 1);
    }
    domains.insert(begin == std::string::npos ? name : name.substr(begin + 1));
  }
  return {domains.begin(), domains.end()};
}

BoulderLimits::Decision BoulderLimits::decide(const Transaction& transaction, Time now) const {
  const auto known = full_at_.find(transaction.bucket);
  const Moment at = now;
  const auto from = known == full_at_.end() ? at : std::max(known->second, at);
  const auto interval = transaction.limit.period / transaction.limit.count;
  const auto full_at = from + interval;
  const auto over = full_at - interval * transaction.limit.count - at;
  if (over > nanoseconds(0)) return {.allowed = false, .retry_in = over, .full_at = from};
  return {.allowed = true, .retry_in = {}, .full_at = full_at};
}

bool BoulderLimits::issued_before(const std::vector<std::string>& names, Time now) const {
  const auto known = issued_at_.find(names);
  return known != issued_at_.end() && now - known->second < std::chrono::days(120);
}

std::optional<BoulderLimits::Refusal> BoulderLimits::new_order(const std::string& account,
                                                               std::vector<std::string> names,
                                                               bool in_window, Time now) {
  if (in_window) return std::nullopt;
  std::ranges::sort(names);
  const bool renewal = issued_before(names, now);
  std::vector<Transaction> transactions;
  if (!renewal) {
    const auto limit = divided(options_.orders);
    transactions.push_back(
        {.bucket = "orders " + account,
         .limit = limit,
         .words = fmt::format("too many new orders ({}) from this account", limit.count),
         .spends = true});
  }
  for (const auto& name : names) {
    const auto limit = divided(options_.failures);
    transactions.push_back({.bucket = "failures " + account + " " + name,
                            .limit = limit,
                            .words = fmt::format("too many failed authorizations ({}) for \"{}\"",
                                                 limit.count, name)});
  }
  for (const auto& domain : registered_domains(names)) {
    if (renewal) break;
    const auto limit = divided(options_.per_domain);
    transactions.push_back(
        {.bucket = "domain " + domain,
         .limit = limit,
         .words = fmt::format("too many certificates ({}) already issued for \"{}\"", limit.count,
                              domain)});
  }
  const auto limit = divided(options_.per_names);
  transactions.push_back({.bucket = fmt::format("names {}", fmt::join(names, " ")),
                          .limit = limit,
                          .words = fmt::format("too many certificates ({}) already issued for this "
                                               "exact set of identifiers",
                                               limit.count)});
  std::optional<Refusal> refusal;
  for (const auto& transaction : transactions) {
    const auto decision = decide(transaction, now);
    if (decision.allowed || (refusal && decision.retry_in <= refusal->retry_in)) continue;
    const auto retry_at = std::chrono::ceil<Duration>(Moment(now) + decision.retry_in);
    refusal = {.detail = fmt::format("{} in the last {}, retry after {}: see "
                                     "https://letsencrypt.org/docs/rate-limits/",
                                     transaction.words, go_text(transaction.limit.period),
                                     date_of(retry_at)),
               .retry_in = decision.retry_in};
  }
  if (refusal) {
    ++refusals_;
    last_refusal_ = refusal->detail;
    return refusal;
  }
  for (const auto& transaction : transactions) {
    if (transaction.spends) full_at_[transaction.bucket] = decide(transaction, now).full_at;
  }
  return std::nullopt;
}

void BoulderLimits::spend_if_there(const Transaction& transaction, Time now) {
  const auto decision = decide(transaction, now);
  if (decision.allowed) full_at_[transaction.bucket] = decision.full_at;
}

void BoulderLimits::issued(std::vector<std::string> names, Time now) {
  std::ranges::sort(names);
  if (!issued_before(names, now)) {
    for (const auto& domain : registered_domains(names)) {
      spend_if_there({.bucket = "domain " + domain, .limit = divided(options_.per_domain)}, now);
    }
  }
  spend_if_there({.bucket = fmt::format("names {}", fmt::join(names, " ")),
                  .limit = divided(options_.per_names)},
                 now);
  issued_at_[names] = now;
}

void BoulderLimits::failed(const std::string& account, const std::string& name, Time now) {
  spend_if_there(
      {.bucket = "failures " + account + " " + name, .limit = divided(options_.failures)}, now);
}

}  // namespace certherd::sim
