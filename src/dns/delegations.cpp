#include "dns/delegations.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "runtime/together.hpp"
#include "runtime/wakeup.hpp"

namespace certherd::dns {
namespace {

constexpr Duration kept_for = std::chrono::minutes(5);
constexpr std::size_t max_kept = 10'000;

/// No zone has more (the root has 13 with two addresses each); beyond it somebody is using us to
/// flood others.
constexpr std::size_t max_name_servers = 32;
constexpr std::size_t max_addresses = 8;

}  // namespace

/// One look-up that several callers wait for; shared by them, and by the map while it runs.
struct Delegations::Flight {
  explicit Flight(runtime::EventLoop& loop) : ended(loop) {}
  runtime::Wakeup ended;
  bool over = false;
  std::optional<Result<std::vector<NameServer>>> result;  ///< none when its caller was cancelled
};

/// Lands the flight even when this caller is cancelled: another one then takes off anew.
class Delegations::Landing {
 public:
  Landing(Delegations* owner, Fqdn zone)
      : owner_(owner), zone_(std::move(zone)), flight_(std::make_shared<Flight>(owner->loop_)) {
    owner_->flights_.emplace(zone_, flight_);
  }
  Landing(const Landing&) = delete;
  Landing& operator=(const Landing&) = delete;
  ~Landing() {
    flight_->over = true;
    owner_->flights_.erase(zone_);
    flight_->ended.notify_all();
  }
  void bring(const Result<std::vector<NameServer>>& result) { flight_->result = result; }

 private:
  Delegations* owner_;
  Fqdn zone_;
  std::shared_ptr<Flight> flight_;
};

Delegations::Delegations(runtime::EventLoop& loop, Resolvers& resolvers, Options options)
    : loop_(loop), resolvers_(resolvers), options_(std::move(options)) {}

Delegations::~Delegations() = default;

Task<Result<std::vector<NameServer>>> Delegations::of(Fqdn zone) {
  for (;;) {
    const auto known = known_.find(zone);
    if (known != known_.end() && loop_.clock().now() < known->second.good_until) {
      co_return known->second.servers;
    }
    const auto running = flights_.find(zone);
    if (running == flights_.end()) break;
    const auto flight = running->second;
    while (!flight->over) co_await flight->ended.wait();
    if (flight->result) co_return *flight->result;
  }

  Landing landing(this, zone);
  auto servers = co_await look_up(zone);
  if (servers) keep(zone, *servers);
  landing.bring(servers);
  co_return servers;
}

void Delegations::keep(const Fqdn& zone, std::vector<NameServer> servers) {
  const Time now = loop_.clock().now();
  if (known_.size() >= max_kept) {
    std::erase_if(known_, [now](const auto& entry) { return entry.second.good_until <= now; });
    if (known_.size() >= max_kept) known_.clear();
  }
  known_.insert_or_assign(zone, Entry{.servers = std::move(servers), .good_until = now + kept_for});
}

Task<Result<std::vector<NameServer>>> Delegations::look_up(Fqdn zone) {
  const std::string op = fmt::format("find the name servers of {}", zone);
  Question question{.name = zone.text(), .type = RecordType::ns};
  auto answer = co_await resolvers_.ask(std::move(question));
  if (!answer) co_return fail(std::move(answer.error()).during(op));

  std::vector<std::string> names;
  for (const auto& record : answer->message.answers) {
    if (record.type == RecordType::ns && record.name == zone.text()) names.push_back(record.text);
  }
  if (names.empty()) {
    co_return fail(Error::Kind::not_found, op,
                   fmt::format("nobody serves {}: {} says {} and no NS record", zone,
                               answer->server, to_string(answer->message.code)));
  }
  std::ranges::sort(names);
  const auto repeated = std::ranges::unique(names);
  names.erase(repeated.begin(), repeated.end());
  if (names.size() > max_name_servers) names.resize(max_name_servers);

  std::vector<NameServer> servers(names.size());
  std::vector<Task<void>> searches;
  for (std::size_t i = 0; i < names.size(); ++i) {
    servers[i].name = std::move(names[i]);
    searches.push_back(find_addresses(&servers[i], answer->message.additional));
  }
  co_await runtime::together(std::move(searches));
  co_return servers;
}

Task<void> Delegations::find_addresses(NameServer* server, std::vector<Record> glue) {
  if (const auto name = Fqdn::parse(server->name)) {
    const auto instead = options_.overrides.find(*name);
    if (instead != options_.overrides.end()) {
      server->addresses.push_back(instead->second);
      co_return;
    }
  }

  std::vector<std::string> found;
  server->nonexistent = true;
  for (const auto type : {RecordType::a, RecordType::aaaa}) {
    Question question{.name = server->name, .type = type};
    const auto answer = co_await resolvers_.ask(std::move(question));
    if (!answer) {
      server->nonexistent = false;
      server->trouble = answer.error().detail;
      continue;
    }
    for (const auto& record : answer->message.answers) {
      if (record.type == type) found.push_back(record.text);
    }
  }
  if (found.empty()) {
    // An authoritative server that is asked instead of a resolver refuses names outside its
    // zones, yet hands out their addresses beside the NS records where it knows them.
    for (const auto& record : glue) {
      const bool address = record.type == RecordType::a || record.type == RecordType::aaaa;
      if (address && record.name == server->name) found.push_back(record.text);
    }
  }

  std::ranges::sort(found);
  const auto repeated = std::ranges::unique(found);
  found.erase(repeated.begin(), repeated.end());
  if (found.size() > max_addresses) found.resize(max_addresses);
  for (auto& address : found) {
    server->addresses.push_back({.address = std::move(address), .port = options_.port});
  }
  if (!server->addresses.empty()) {
    server->nonexistent = false;
    server->trouble.clear();
  } else if (server->trouble.empty()) {
    server->trouble = "has no address";
  }
}

}  // namespace certherd::dns
