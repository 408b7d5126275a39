#include "dns/responder/responder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <deque>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/log.hpp"
#include "dns/responder/authority.hpp"
#include "dns/responder/delegation.hpp"
#include "dns/responder/rate_limit.hpp"
#include "dns/responder/sockets.hpp"
#include "dns/responder/tcp_server.hpp"
#include "dns/responder/udp_server.hpp"
#include "runtime/random.hpp"
#include "runtime/task_group.hpp"

namespace certherd::dns {
namespace {

using responder::Authority;

constexpr std::size_t max_value_octets = 255;  // one character-string (RFC 1035 section 3.3)
// All values of a name must fit into one TCP answer, with room for the question and OPT.
constexpr std::size_t max_octets_per_name = 64'000;
constexpr std::size_t octets_per_record = 13;  // owner pointer, type, class, TTL, two lengths
constexpr BatchLimits batch_limits{.changes = 10'000, .value_octets = 1'000'000};

Error rejection(std::string op, std::string detail) {
  Error error;
  error.kind = Error::Kind::rejected;
  error.op = std::move(op);
  error.detail = std::move(detail);
  return error;
}

class AuthoritativeResponder final : public Responder {
 public:
  AuthoritativeResponder(runtime::EventLoop& loop, const ResponderOptions& options,
                         Authority::Options authority, std::uint64_t seed)
      : zone_names_(options.zones),
        authority_(std::move(authority)),
        limiter_(options.responses_per_second, seed),
        clock_(&loop.clock()),
        group_(loop),
        tcp_(&loop, &group_, &authority_,
             {.connections = static_cast<std::size_t>(options.tcp_connections)}) {}

  void load(std::vector<TxtRecord> records);
  void serve(std::vector<responder::Sockets> sockets);

  Task<Result<Zone>> find_zone(Fqdn name) override;
  Task<Result<std::vector<Zone>>> zones() override;
  Task<Result<std::vector<Fqdn>>> name_servers(Zone zone) override;
  Task<Result<Ticket>> apply(Zone zone, std::vector<TxtChange> changes) override;
  Task<Result<ChangeState>> state(Ticket ticket) override;
  Task<Result<std::vector<TxtValue>>> list(Zone zone, Fqdn name) override;
  BatchLimits limits() const override { return batch_limits; }
  Task<Status> check() override;

  std::vector<ServerAddress> listening() const override { return listening_; }
  std::size_t value_count() const override { return authority_.value_count(); }
  Task<void> stop() override;

 private:
  Result<responder::ZoneData*> own_zone(const Zone& zone);
  static std::optional<Error> objection(const responder::ZoneData& zone,
                                        const std::vector<TxtChange>& changes);

  std::vector<Fqdn> zone_names_;
  Authority authority_;
  responder::RateLimiter limiter_;
  runtime::Clock* clock_;
  runtime::TaskGroup group_;
  std::vector<ServerAddress> listening_;
  std::deque<responder::UdpServer> udp_;  // deques: the tasks point into them
  std::deque<boost::asio::ip::tcp::acceptor> acceptors_;
  responder::TcpServer tcp_;
};

void AuthoritativeResponder::load(std::vector<TxtRecord> records) {
  for (auto& record : records) {
    const auto name = responder::encode_name(record.name);
    auto* zone = authority_.zone_of(name);
    if (zone == nullptr || record.value.text().size() > max_value_octets) {
      log::warning("dns responder: {} is in none of its zones and not served", record.name);
      continue;
    }
    zone->add(name, std::move(record.value));
  }
}

void AuthoritativeResponder::serve(std::vector<responder::Sockets> sockets) {
  for (auto& pair : sockets) {
    listening_.push_back(pair.address);
    auto& udp = udp_.emplace_back(std::move(pair.udp), &authority_, &limiter_, clock_);
    group_.spawn(udp.run());
    auto& acceptor = acceptors_.emplace_back(std::move(pair.tcp));
    group_.spawn(tcp_.run(&acceptor));
  }
}

Task<Result<Zone>> AuthoritativeResponder::find_zone(Fqdn name) {
  auto zone = responder_zone(zone_names_, name);
  if (!zone) co_return fail(std::move(zone.error()));
  co_return Zone{.id = ZoneId(zone->text()), .name = std::move(*zone)};
}

Task<Result<std::vector<Zone>>> AuthoritativeResponder::zones() {
  std::vector<Zone> zones;
  zones.reserve(zone_names_.size());
  for (const auto& name : zone_names_) zones.push_back({.id = ZoneId(name.text()), .name = name});
  std::ranges::sort(zones, {}, &Zone::name);
  co_return zones;
}

// Whoever delegates a zone to it has chosen the names; the config repeats them.
Task<Result<std::vector<Fqdn>>> AuthoritativeResponder::name_servers(Zone zone) {
  auto own = own_zone(zone);
  if (!own) co_return fail(std::move(own).error());
  co_return std::vector<Fqdn>();
}

// That it listens was seen when it was started.
Task<Status> AuthoritativeResponder::check() { co_return Status(); }

Task<Result<Ticket>> AuthoritativeResponder::apply(Zone zone, std::vector<TxtChange> changes) {
  auto own = own_zone(zone);
  if (!own) co_return fail(std::move(own).error());
  auto& data = **own;
  if (auto error = objection(data, changes)) co_return fail(std::move(*error));

  bool changed = false;
  for (const auto& change : changes) {
    const auto name = responder::encode_name(change.name);
    changed |= change.action == TxtChange::Action::ensure ? data.add(name, change.value)
                                                          : data.remove(name, change.value);
  }
  if (changed) data.set_serial(data.serial() + 1);
  co_return Ticket(fmt::format("{}/{}", data.apex(), data.serial()));
}

// What apply() took is served at once, and what an earlier run took was in the ledger.
Task<Result<ChangeState>> AuthoritativeResponder::state(Ticket) { co_return ChangeState::in_sync; }

Task<Result<std::vector<TxtValue>>> AuthoritativeResponder::list(Zone zone, Fqdn name) {
  auto own = own_zone(zone);
  if (!own) co_return fail(std::move(own).error());
  co_return (*own)->values(responder::encode_name(name));
}

Task<void> AuthoritativeResponder::stop() {
  group_.cancel();
  for (auto& udp : udp_) udp.close();
  for (auto& acceptor : acceptors_) {
    boost::system::error_code ignored;
    acceptor.close(ignored);
  }
  tcp_.close();
  co_await group_.join();
}

Result<responder::ZoneData*> AuthoritativeResponder::own_zone(const Zone& zone) {
  const auto name = Fqdn::parse(zone.id.text());
  auto* own = name ? authority_.zone(*name) : nullptr;
  if (own != nullptr) return own;
  return fail(Error::Kind::not_found, "find zone",
              fmt::format("the responder has no zone \"{}\"", zone.id));
}

// Looks at the whole batch before any of it is applied: all or nothing.
std::optional<Error> AuthoritativeResponder::objection(const responder::ZoneData& zone,
                                                       const std::vector<TxtChange>& changes) {
  Error rejected = rejection("apply changes", {});
  const auto object = [&rejected](const TxtChange& change, std::string detail) {
    rejected.causes.push_back(rejection(change.value.text(), std::move(detail)));
  };
  std::map<Fqdn, std::size_t> octets;  // of each name once the batch is applied, at most
  for (const auto& change : changes) {
    const auto name = responder::encode_name(change.name);
    const auto size = change.value.text().size();
    if (!zone.holds(name)) {
      object(change, fmt::format("{} is not in the zone {}", change.name, zone.apex()));
    } else if (size == 0 || size > max_value_octets) {
      object(change, fmt::format("a value has 1 to {} octets, not {}", max_value_octets, size));
    } else if (change.action == TxtChange::Action::ensure) {
      auto [total, first] = octets.try_emplace(change.name, 0);
      if (first) {
        for (const auto& value : zone.values(name)) {
          total->second += value.text().size() + octets_per_record;
        }
      }
      total->second += size + octets_per_record;
      if (total->second > max_octets_per_name) {
        object(change, fmt::format("{} holds so many values that no answer could carry another",
                                   change.name));
      }
    }
  }
  if (rejected.causes.empty()) return std::nullopt;
  rejected.detail = rejected.causes.front().detail;
  return rejected;
}

Status check_options(const ResponderOptions& options) {
  const auto wrong = [](std::string detail) {
    return fail(Error::Kind::misconfigured, "start responder", std::move(detail));
  };
  if (options.zones.empty()) return wrong("zones is empty: name the zone that is delegated here");
  if (options.listen.empty()) return wrong("listen is empty: name an address and port");
  if (options.ttl < 0) return wrong("ttl is negative");
  if (options.tcp_connections < 1) return wrong("at least one TCP connection must be allowed");
  for (const auto& address : options.addresses) {
    boost::system::error_code error;
    boost::asio::ip::make_address(address, error);
    if (error) return wrong(fmt::format("\"{}\" among addresses is no IP address", address));
  }
  return {};
}

std::vector<std::string> specific_addresses(const std::vector<ServerAddress>& listening) {
  std::vector<std::string> addresses;
  std::set<std::string> seen;
  for (const auto& address : listening) {
    const bool specific = !boost::asio::ip::make_address(address.address).is_unspecified();
    if (specific && seen.insert(address.address).second) addresses.push_back(address.address);
  }
  return addresses;
}

}  // namespace

Result<Fqdn> responder_zone(const std::vector<Fqdn>& zones, const Fqdn& name) {
  const Fqdn* longest = nullptr;
  for (const auto& zone : zones) {
    if (!name.is_within(zone)) continue;
    if (longest == nullptr || zone.is_within(*longest)) longest = &zone;
  }
  if (longest != nullptr) return *longest;
  return fail(Error::Kind::not_found, "find zone",
              fmt::format("{} is in none of the responder's zones: add \"{}\" to the zone "
                          "that holds it",
                          name, responder::delegation_line(name, zones.front())));
}

Result<std::unique_ptr<Responder>> Responder::start(runtime::EventLoop& loop,
                                                    ResponderOptions options,
                                                    std::vector<TxtRecord> initial) {
  if (auto usable = check_options(options); !usable) return fail(std::move(usable).error());

  std::vector<responder::Sockets> sockets;
  std::vector<ServerAddress> listening;
  for (const auto& address : options.listen) {
    auto bound = responder::bind_sockets(loop.context(), address);
    if (!bound) return fail(std::move(bound).error().during("start responder"));
    listening.push_back(bound->address);
    sockets.push_back(std::move(*bound));
  }

  Authority::Options authority{.zones = options.zones,
                               .nameservers = options.nameservers,
                               .addresses = options.addresses,
                               .ttl = options.ttl};
  if (authority.nameservers.empty()) {
    authority.nameservers = {Fqdn::literal("ns1." + options.zones.front().text())};
  }
  if (authority.addresses.empty()) authority.addresses = specific_addresses(listening);
  // Seconds since 1970 keep growing over a restart, for as long as fewer than one change a second
  // is made on average (RFC 1982 arithmetic takes the rest).
  authority.serial = static_cast<std::uint32_t>(
      std::chrono::floor<std::chrono::seconds>(loop.clock().now()).time_since_epoch().count());

  runtime::SystemRandom random;
  const auto seed = random.uniform(0, std::numeric_limits<std::uint64_t>::max());
  auto responder =
      std::make_unique<AuthoritativeResponder>(loop, options, std::move(authority), seed);
  responder->load(std::move(initial));
  responder->serve(std::move(sockets));
  return responder;
}

}  // namespace certherd::dns
