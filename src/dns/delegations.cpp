#include "dns/delegations.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "runtime/together.hpp"

namespace certherd::dns {
namespace {

/// No zone has more (the root has 13 with two addresses each); beyond it somebody is using us to
/// flood others.
constexpr std::size_t max_name_servers = 32;
constexpr std::size_t max_addresses = 8;

}  // namespace

Delegations::Delegations(runtime::EventLoop& loop, Resolvers& resolvers, Options options)
    : resolvers_(resolvers),
      options_(std::move(options)),
      known_(loop, [this](Fqdn zone) { return look_up(std::move(zone)); }) {}

Task<Result<std::vector<NameServer>>> Delegations::of(Fqdn zone) {
  return known_.of(std::move(zone));
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
  co_return co_await find(std::move(names), std::move(answer->message.additional));
}

Task<std::vector<NameServer>> Delegations::find(std::vector<std::string> names,
                                                std::vector<Record> glue) {
  std::ranges::sort(names);
  const auto repeated = std::ranges::unique(names);
  names.erase(repeated.begin(), repeated.end());
  if (names.size() > max_name_servers) names.resize(max_name_servers);

  std::vector<NameServer> servers(names.size());
  std::vector<Task<void>> searches;
  searches.reserve(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    servers[i].name = std::move(names[i]);
    searches.push_back(find_addresses(&servers[i], glue));
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
