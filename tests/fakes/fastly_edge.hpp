#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "fakes/fastly_objects.hpp"

namespace certherd::fakes::fastly {

/// What is served for each name, now and as soon as what was decided has come there.
class Edge {
 public:
  /// Nothing: TLS is off.
  void publish(const std::string& name, std::optional<Served> served, Time live);

  /// What was decided last, whether it is live or not.
  std::optional<Served> decided(const std::string& name) const;

  /// For a handshake: the name itself, else the wildcard that covers it.
  std::optional<Served> served(const std::string& server_name, Time now) const;

 private:
  struct Change {
    Time live;
    std::optional<Served> served;
  };

  std::optional<Served> at(const std::string& name, Time now) const;

  std::map<std::string, std::vector<Change>> changes_;  // the newest at the end
};

}  // namespace certherd::fakes::fastly
