#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "model/fqdn.hpp"
#include "model/identifiers.hpp"
#include "runtime/task.hpp"

namespace certherd::dns {

/// Where the value for a challenge name has to stand, as the public DNS tells it.
struct Location {
  Fqdn record;  ///< the challenge name, or where its CNAMEs end
  Fqdn zone;    ///< apex of the zone that holds `record`

  bool operator==(const Location&) const = default;
};

/// What one name server said to one question.
struct Sighting {
  std::string server;   ///< "ns1.example.net (192.0.2.1:53, UDP)"
  bool shows = false;   ///< all wanted values stand there
  std::string finding;  ///< otherwise why not, in words: "no TXT record", "SERVFAIL", "timeout"
};

struct View {
  bool everywhere = false;  ///< every authoritative server shows every value, by UDP and TCP
  std::vector<Sighting> sightings;

  /// The sightings that do not show it, joined: for an error's detail.
  std::string missing() const;
};

/// Looks at challenge records the way a CA does. Owned by app, used on the loop.
class Visibility {
 public:
  virtual ~Visibility() = default;

  /// Follows CNAMEs from the challenge name (at most 8, loops are found out) and finds the zone.
  /// Errors: misconfigured (a loop, a CNAME into nothing), not_found (no such zone, or nobody
  /// serves it: servers asked and their answers are in the detail), transient.
  virtual Task<Result<Location>> locate(Fqdn challenge_name) = 0;

  /// The NS of a zone as the public DNS tells them, by name. Errors: not_found when it has none,
  /// transient when no resolver replied.
  virtual Task<Result<std::vector<Fqdn>>> name_servers(Fqdn zone) = 0;

  /// One look, without waiting: do all authoritative servers of the zone show all values at
  /// `record`? Errors: transient when the servers could not even be found.
  virtual Task<Result<View>> look(Location location, std::vector<TxtValue> values) = 0;
};

/// An address and port, IPv4 or IPv6.
struct ServerAddress {
  std::string address;
  std::uint16_t port = 53;

  /// Reads "192.0.2.1", "192.0.2.1:5353", "[2001:db8::1]:53" or a bare IPv6 address.
  /// Errors: misconfigured.
  static Result<ServerAddress> parse(std::string_view text, std::uint16_t default_port);
  std::string text() const;
  auto operator<=>(const ServerAddress&) const = default;
};

/// The [resolver] section of the config.
struct ResolverOptions {
  enum class Check { authoritative, resolver, off };
  std::vector<ServerAddress> servers;  ///< recursive ones; empty: those of /etc/resolv.conf
  Check check = Check::authoritative;
  std::uint16_t authoritative_port = 53;
  std::map<Fqdn, ServerAddress> overrides;      ///< where a name server is asked instead
  Duration patience = std::chrono::seconds(2);  ///< for one try; there are two over UDP
};

}  // namespace certherd::dns
