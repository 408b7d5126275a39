#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "model/fqdn.hpp"
#include "model/identifiers.hpp"

namespace certherd::dns::responder {

/// The values of one zone, and which names exist because of them: a name exists when it, or any
/// name below it, holds a record (RFC 8020). Names are in wire form, lower case.
class ZoneData {
 public:
  ZoneData(Fqdn apex, std::uint32_t serial);

  const Fqdn& apex() const { return apex_; }
  const std::string& wire_apex() const { return wire_apex_; }
  std::uint32_t serial() const { return serial_; }

  /// Whether `name` is the apex or lies below it.
  bool holds(std::string_view name) const;

  /// False when the value stands there already.
  bool add(const std::string& name, TxtValue value);

  /// False when no such value stands there.
  bool remove(const std::string& name, const TxtValue& value);

  /// Makes `name` exist for ever, for records that are not kept here.
  void keep(const std::string& name) { count_upwards(name, 1); }

  void set_serial(std::uint32_t serial) { serial_ = serial; }

  bool exists(const std::string& name) const { return name == wire_apex_ || nodes_.contains(name); }

  /// In the order in which they were added.
  const std::vector<TxtValue>& values(const std::string& name) const;
  std::size_t value_count() const { return value_count_; }

 private:
  struct Node {
    std::vector<TxtValue> values;
    std::size_t reasons = 0;  // records at this name and below it
  };

  void count_upwards(std::string_view name, int change);

  Fqdn apex_;
  std::string wire_apex_;
  std::uint32_t serial_;
  std::map<std::string, Node, std::less<>> nodes_;  // without the apex's ancestors
  std::size_t value_count_ = 0;
};

}  // namespace certherd::dns::responder
