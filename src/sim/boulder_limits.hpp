#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"

namespace certherd::sim {

/// The limits of Let's Encrypt as Boulder keeps them (ratelimits/ and ra/ of 2026-08): each bucket
/// is a moment in nanoseconds, asked at newOrder, and spent there or when the certificate is
/// issued. Knows nothing of the program's own idea of them.
class BoulderLimits {
 public:
  struct Limit {
    long long count = 0;
    std::chrono::nanoseconds period{};
  };
  struct Options {
    int divided_by = 1;         ///< all periods
    int registered_labels = 2;  ///< of a registered domain: 3 below co.uk
    Limit orders = {300, std::chrono::hours(3)};
    Limit per_domain = {50, std::chrono::days(7)};
    Limit per_names = {5, std::chrono::days(7)};
    Limit failures = {5, std::chrono::hours(1)};
  };
  struct Refusal {
    std::string detail;
    std::chrono::nanoseconds retry_in{};
  };

  explicit BoulderLimits(Options options) : options_(options) {}

  /// Counts an order, or says why it is refused. `in_window`: it replaces a certificate within its
  /// renewal window.
  std::optional<Refusal> new_order(const std::string& account, std::vector<std::string> names,
                                   bool in_window, Time now);
  void issued(std::vector<std::string> names, Time now);
  void failed(const std::string& account, const std::string& name, Time now);

  int refusals() const { return refusals_; }
  /// In its words; empty: there was none.
  const std::string& last_refusal() const { return last_refusal_; }

 private:
  using Moment = std::chrono::sys_time<std::chrono::nanoseconds>;
  struct Transaction {
    std::string bucket;
    Limit limit;
    std::string words = {};  ///< of the refusal, up to the period
    bool spends = false;
  };
  struct Decision {
    bool allowed = true;
    std::chrono::nanoseconds retry_in{};
    Moment full_at;
  };

  Decision decide(const Transaction& transaction, Time now) const;
  Limit divided(Limit limit) const;
  std::vector<std::string> registered_domains(const std::vector<std::string>& names) const;
  bool issued_before(const std::vector<std::string>& names, Time now) const;
  void spend_if_there(const Transaction& transaction, Time now);

  Options options_;
  std::map<std::string, Moment> full_at_;
  std::map<std::vector<std::string>, Time> issued_at_;
  int refusals_ = 0;
  std::string last_refusal_;
};

}  // namespace certherd::sim
