#include "dns/authorities.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "runtime/together.hpp"

namespace certherd::dns {
namespace {

/// Why a reply cannot be taken for the word of an authority; empty when it can.
std::string why_no_authority(const Heard& heard) {
  if (!heard.reply) return heard.reply.error().detail;
  const auto code = heard.reply->code;
  if (code != ResponseCode::no_error && code != ResponseCode::name_error) return to_string(code);
  if (!heard.reply->authoritative) return "not authoritative for it (lame delegation)";
  return {};
}

/// One more that would not say it: "ns1.example.net (192.0.2.1:53, UDP): REFUSED".
void append(std::string& words, std::string_view server, std::string_view finding) {
  if (!words.empty()) words += "; ";
  words += fmt::format("{}: {}", server, finding);
}

void append_without_address(std::string& words, const std::vector<NameServer>& servers) {
  for (const auto& server : servers) {
    if (server.addresses.empty()) append(words, server.name, server.trouble);
  }
}

}  // namespace

bool is_excused(const Heard& one, const std::vector<Heard>& all) {
  return one.unroutable && std::ranges::any_of(all, [&one](const Heard& other) {
           return other.name_server == one.name_server && other.reply.has_value();
         });
}

std::string why_not_served(const Heard& heard, const Fqdn& zone) {
  if (auto why = why_no_authority(heard); !why.empty()) return why;
  const auto& reply = *heard.reply;
  if (reply.code == ResponseCode::name_error) return "says that it does not exist (NXDOMAIN)";
  const bool apex = std::ranges::any_of(reply.answers, [&zone](const Record& record) {
    return record.type == RecordType::soa && record.name == zone.text();
  });
  return apex ? std::string() : "no SOA record";
}

Authorities::Authorities(runtime::EventLoop& loop, Querier& querier, runtime::Slots& slots,
                         Delegations& delegations, Duration patience)
    : loop_(loop),
      querier_(querier),
      slots_(slots),
      delegations_(delegations),
      options_{.recursion_desired = false, .patience = patience},
      served_(loop, [this](Fqdn zone) { return look_up(std::move(zone)); }) {}

Task<std::vector<Heard>> Authorities::ask_all(std::vector<NameServer> servers, Question question,
                                              std::vector<Transport> transports) {
  std::vector<Heard> all;
  std::vector<std::pair<ServerAddress, Transport>> ways;
  for (std::size_t i = 0; i < servers.size(); ++i) {
    for (const auto& address : servers[i].addresses) {
      for (const auto transport : transports) {
        Heard heard;
        heard.server =
            fmt::format("{} ({}, {})", servers[i].name, address.text(), to_string(transport));
        heard.name_server = i;
        all.push_back(std::move(heard));
        ways.emplace_back(address, transport);
      }
    }
  }
  std::vector<Task<void>> tasks;
  tasks.reserve(all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    tasks.push_back(ask(&all[i], ways[i].first, question, ways[i].second));
  }
  co_await runtime::together(std::move(tasks));
  co_return all;
}

Task<void> Authorities::ask(Heard* heard, ServerAddress address, Question question,
                            Transport transport) {
  const bool v6 = address.address.find(':') != std::string::npos;
  if (v6 && !querier_.has_route(address)) {
    heard->unroutable = true;
    heard->reply = fail(Error::Kind::transient, {}, "network unreachable");
    co_return;
  }
  const auto slot = co_await slots_.take();
  const Time deadline = loop_.clock().now() + options_.patience * (options_.udp_tries + 1);
  heard->reply =
      co_await querier_.ask(std::move(address), std::move(question), transport, options_, deadline);
}

Task<Result<Message>> Authorities::ask_one(std::vector<NameServer> servers, Question question) {
  std::string said;
  bool silent = false;
  for (const auto& server : servers) {
    const auto heard = co_await ask_all({1, server}, question, {1, Transport::udp});
    for (const auto& each : heard) {
      const auto why = why_no_authority(each);
      if (why.empty()) co_return *each.reply;
      silent = silent || !each.reply;
      append(said, each.server, why);
    }
  }
  append_without_address(said, servers);
  co_return fail(silent ? Error::Kind::transient : Error::Kind::not_found,
                 fmt::format("ask for {} {}", question.name, to_string(question.type)),
                 fmt::format("no name server answers for {}: {}", question.name, said));
}

Task<Status> Authorities::served(Fqdn zone) {
  const auto served = co_await served_.of(std::move(zone));
  if (!served) co_return fail(served.error());
  co_return Status();
}

Task<Result<bool>> Authorities::look_up(Fqdn zone) {
  const auto servers = co_await delegations_.of(zone);
  if (!servers) co_return fail(servers.error());
  Question question{.name = zone.text(), .type = RecordType::soa};
  const auto heard =
      co_await ask_all(*servers, std::move(question), std::vector<Transport>{Transport::udp});
  std::string said;
  bool silent = false;
  for (const auto& each : heard) {
    const auto why = why_not_served(each, zone);
    if (why.empty()) co_return true;
    silent = silent || !each.reply;
    append(said, each.server, why);
  }
  append_without_address(said, *servers);
  co_return fail(silent ? Error::Kind::transient : Error::Kind::not_found,
                 fmt::format("ask the name servers of {}", zone),
                 fmt::format("nobody serves {}: {}", zone, said));
}

}  // namespace certherd::dns
