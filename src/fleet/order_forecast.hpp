#pragma once

#include <map>
#include <string>
#include <vector>

#include "fleet/ports.hpp"
#include "policy/ca_limits.hpp"
#include "policy/forecast.hpp"
#include "store/store.hpp"

namespace certherd::fleet {

/// A CA as far as its limits go, as in CaPort.
struct LimitedCa {
  policy::CaLimits limits;
  std::string authority;
  AccountUrl account;  ///< empty: there is none yet, and nothing of its limits is spent
};

/// Tells when orders may be placed, by the same functions as CaBudget.
class OrderForecast {
 public:
  /// A domain whose certificate is due, and when it would be ordered if there were no limits.
  struct Item {
    const store::DomainRow* row = nullptr;
    policy::Plan* plan = nullptr;
  };

  /// Reads from `store` how far the limits are spent; asks nobody else. Errors: the store's.
  static Task<Result<OrderForecast>> read(store::Store* store, std::map<CaName, LimitedCa> cas,
                                          Defaults defaults);

  /// Puts off each plan whose order has to wait for a limit, and says for which. All that is due
  /// has to be in it, in the order of work. Those that have been told their turn before are told it
  /// anew.
  void put_off(const std::vector<Item>& items, Time now);

 private:
  std::vector<policy::Draw> draws(const Item& item, Time now);

  Defaults defaults_;
  std::map<CaName, LimitedCa> cas_;
  std::map<std::string, store::Level> levels_;
  std::map<std::string, std::size_t> known_;  ///< index of each allowance
  std::vector<policy::RateLimit> limits_;
};

}  // namespace certherd::fleet
