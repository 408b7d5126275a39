#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "dns/route53/record_set.hpp"
#include "dns/route53/xml.hpp"
#include "model/fqdn.hpp"

namespace certherd::dns::route53 {

/// What stands as TXT at a name.
struct Reading {
  std::optional<RecordSet> set;
  bool simple = true;  ///< no alias and no routing policy, which are not ours to change
};

/// Reads the TXT sets of several names with few pages, each of which tells about all names that
/// come between its first and its last one.
class Readings {
 public:
  explicit Readings(const std::set<Fqdn>& names);

  bool complete() const { return missing_.empty(); }
  std::size_t missing() const { return missing_.size(); }

  /// The name to ask for next, when not complete.
  const Fqdn& next() const { return missing_.begin()->second; }

  /// Learns the page that was asked for from next() on.
  void learn(const RecordPage& page);

  const std::map<Fqdn, Reading>& of() const { return found_; }

 private:
  std::map<std::string, Fqdn> missing_;  // by order_key()
  std::map<Fqdn, Reading> found_;
};

}  // namespace certherd::dns::route53
