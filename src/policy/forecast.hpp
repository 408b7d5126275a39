#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "policy/plan.hpp"

namespace certherd::policy {

/// A limit that work draws on, as runtime::Allowance with a window.
struct WindowLimit {
  std::string words;  ///< for people: "990 writes an hour at Fastly"
  double units = 1;   ///< in a window
  Duration window{};
  Time taken_until{};  ///< how far it is spent, as spend_in_windows() counts it
};

/// So many units of one of the limits.
struct Need {
  std::size_t limit = 0;  ///< its index
  int units = 0;
};

/// Tells when work that draws on limits will be done, one plan after the other.
class Forecast {
 public:
  Forecast(std::vector<WindowLimit> limits, Time now) : limits_(std::move(limits)), now_(now) {}

  /// Takes what the plan needs; where the last of it may be spent only later, the plan is put off
  /// to then, and says by which limit. Plans come in the order of work.
  void put_off(Plan& plan, const std::vector<Need>& needs);

 private:
  std::vector<WindowLimit> limits_;
  Time now_;
};

}  // namespace certherd::policy
