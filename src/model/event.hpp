#pragma once

#include <map>
#include <string>

#include "base/time.hpp"
#include "model/fqdn.hpp"

namespace certherd {

/// One line of the audit trail. Never holds a secret.
struct Event {
  Time at;
  Fqdn domain;        ///< empty when it is about no single domain
  std::string event;  ///< such as "order.placed"
  std::map<std::string, std::string> detail;

  bool operator==(const Event&) const = default;
};

}  // namespace certherd
