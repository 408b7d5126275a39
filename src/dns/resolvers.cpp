#include "dns/resolvers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace certherd::dns {
namespace {

constexpr std::string_view blanks = " \t\r";

std::string_view next_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
  const auto word = line.substr(0, line.find_first_of(blanks));
  line.remove_prefix(word.size());
  return word;
}

}  // namespace

std::vector<ServerAddress> parse_resolv_conf(std::string_view text) {
  std::vector<ServerAddress> servers;
  while (!text.empty()) {
    auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (next_word(line) != "nameserver") continue;
    auto server = ServerAddress::parse(next_word(line), 53);
    if (server) servers.push_back(std::move(*server));
  }
  return servers;
}

Resolvers::Resolvers(runtime::Clock& clock, Querier& querier, runtime::Slots& slots,
                     std::vector<ServerAddress> servers, QueryOptions options)
    : clock_(clock),
      querier_(querier),
      slots_(slots),
      servers_(std::move(servers)),
      options_(options) {}

Task<Result<Resolvers::Answer>> Resolvers::ask(Question question) {
  std::string said;
  bool replied = false;
  for (const auto& server : servers_) {
    const auto slot = co_await slots_.take();
    const Time deadline = clock_.now() + options_.patience * (options_.udp_tries + 1);
    auto reply = co_await querier_.ask(server, question, Transport::udp, options_, deadline);
    if (reply &&
        (reply->code == ResponseCode::no_error || reply->code == ResponseCode::name_error)) {
      co_return Answer{.message = std::move(*reply), .server = server.text()};
    }
    replied = replied || reply.has_value();
    said += fmt::format("{}{}: {}", said.empty() ? "" : "; ", server.text(),
                        reply ? to_string(reply->code) : reply.error().detail);
  }
  co_return fail(replied ? Error::Kind::not_found : Error::Kind::transient,
                 fmt::format("look up {} {}", question.name, to_string(question.type)),
                 fmt::format("no answer for {} ({})", question.name, said));
}

}  // namespace certherd::dns
