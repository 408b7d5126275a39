#include <arpa/inet.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/json.hpp>

#include "dns/scripted_server_test.hpp"
#include "end_to_end.hpp"
#include "pebble_log.hpp"

namespace certherd::e2e {
namespace {

using namespace std::chrono_literals;
using dns::Packet;
using dns::RecordType;
using Query = dns::ScriptedServer::Query;
using testing::HasSubstr;

/// Asks the program's own name server, which tells the truth. Silence when it does not answer.
std::vector<Packet> truth(const Query& query, std::uint16_t port) {
  const auto wire = dns::encode_query(query.id, query.question, query.recursion_desired);
  const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const timeval patience{.tv_sec = 1, .tv_usec = 0};
  setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  sendto(socket, wire->data(), wire->size(), 0, reinterpret_cast<const sockaddr*>(&address),
         sizeof address);
  Packet reply(65'535);
  const auto size = recv(socket, reply.data(), reply.size(), 0);
  close(socket);
  if (size <= 0) return {};
  reply.resize(static_cast<std::size_t>(size));
  return {reply};
}

struct DnsLie {
  std::string name;
  std::function<std::vector<Packet>(const Query&)> tell;
  std::vector<std::string> words;
};

dns::Record alias(std::string name, std::string target) {
  return {.name = std::move(name), .type = RecordType::cname, .ttl = 60, .text = std::move(target)};
}

/// Another id in each of `count` replies.
std::vector<Packet> with_wrong_ids(const Query& query, int count) {
  std::vector<Packet> replies;
  replies.reserve(static_cast<std::size_t>(count));
  for (int i = 1; i <= count; ++i) {
    auto reply = query.reply();
    reply.id = static_cast<std::uint16_t>(query.id + i);
    reply.answers = {alias(query.question.name, "evil.example.test")};
    replies.push_back(dns::encode_reply(reply));
  }
  return replies;
}

const std::vector<DnsLie>& lies() {
  static const std::vector<DnsLie> all = {
      {"a wrong id", [](const Query& query) { return with_wrong_ids(query, 1); }, {"no answer"}},
      {"ten thousand replies that nobody asked for",
       [](const Query& query) { return with_wrong_ids(query, 10'000); },
       {"no answer"}},
      {"a circle of aliases",
       [](const Query& query) {
         auto reply = query.reply();
         const auto& name = query.question.name;
         const bool first = name.starts_with("_acme-challenge.");
         reply.answers = {alias(name, first ? "circle." + name : name.substr(sizeof("circle")))};
         return std::vector<Packet>{dns::encode_reply(reply)};
       },
       {"CNAME"}},
      {"aliases without end",
       [](const Query& query) {
         auto reply = query.reply();
         reply.answers = {
             alias(query.question.name, fmt::format("n{}.site-0004.fleet.test", query.id))};
         return std::vector<Packet>{dns::encode_reply(reply)};
       },
       {"CNAME"}},
      {"thousands of records",
       [](const Query& query) {
         auto reply = query.reply();
         if (query.transport == dns::Transport::udp) {
           reply.truncated = true;
         } else {
           const dns::Record record{
               .name = query.question.name, .type = RecordType::a, .ttl = 60, .text = "192.0.2.1"};
           reply.answers.assign(3'000, record);
           for (std::size_t i = 0; i < reply.answers.size(); ++i) {
             reply.answers[i].text = fmt::format("192.0.{}.{}", i / 250, i % 250);
           }
         }
         return std::vector<Packet>{dns::encode_reply(reply)};
       },
       {"records"}},
      {"rubbish",
       [](const Query& query) {
         return std::vector<Packet>{{static_cast<std::uint8_t>(query.id >> 8U),
                                     static_cast<std::uint8_t>(query.id & 0xFFU), 0x80, 0}};
       },
       {"no answer"}},
      {"silence", [](const Query&) { return std::vector<Packet>{}; }, {"no answer"}},
      {"a failure",
       [](const Query& query) {
         return std::vector<Packet>{
             dns::encode_reply(query.reply(dns::ResponseCode::server_failure))};
       },
       {"SERVFAIL"}},
  };
  return all;
}

/// Runs the programs one after the other to their ends.
Task<bool> in_turn(runtime::Clock* clock, std::vector<std::function<Program*()>> starts) {
  for (const auto& start : starts) {
    Program* const program = start();
    while (program->running()) co_await clock->sleep_for(5ms);
  }
  co_return true;
}

class LyingDns : public OnStage {
 protected:
  static constexpr int honest = 2;

  void SetUp() override {
    set_stage({.domains = static_cast<int>(lies().size()) + honest,
               .environment = {{"PEBBLE_WFE_NONCEREJECT", "0"}}});
    set_proxy();
    add_inventory();
  }

  static std::string site(std::size_t index) {
    return fmt::format("site-{:04}.fleet.test", index + 1);
  }
};

TEST_F(LyingDns, FailsTheDomainItLiesAboutWithOurFindingAndNoOther) {
  const auto config = content_of(path("certherd.toml"));
  constexpr std::string_view key = "authoritative_port = ";
  const auto at = config.find(key) + key.size();
  const auto own = static_cast<std::uint16_t>(std::stoi(config.substr(at)));

  bool lying = true;
  dns::ScriptedServer server(loop(), [&](const Query& query) {
    for (std::size_t i = 0; lying && i < lies().size(); ++i) {
      if (query.question.name.ends_with(site(i))) return lies()[i].tell(query);
    }
    return truth(query, own);
  });
  configure(fmt::format("servers = [\"127.0.0.1:{}\"]", own),
            fmt::format("servers = [\"{}\"]", server.address().text()));

  std::unique_ptr<Program> first;
  std::unique_ptr<Program> second;
  const auto while_lying = [&] {
    first = start({"--json", "run", "--once"});
    return first.get();
  };
  const auto honestly = [&] {
    lying = false;
    second = start({"--json", "issue", "--all"});
    return second.get();
  };
  dns::run_beside(loop(), {&server}, in_turn(&loop().clock(), {while_lying, honestly}));
  const auto ended = first->wait();
  EXPECT_EQ(ended.status, 1) << ended.err;
  const auto document = ended.json();
  std::map<std::string, boost::json::value> results;
  for (const auto& result : document.at("results").as_array()) {
    results.emplace(result.at("domain").as_string(), result);
  }
  for (std::size_t i = 0; i < lies().size(); ++i) {
    SCOPED_TRACE(lies()[i].name);
    const auto& result = results.at(site(i));
    EXPECT_EQ(result.at("outcome").as_string(), "failed") << result;
    const auto words = boost::json::serialize(result.at("error"));
    std::cout << lies()[i].name << ": " << words << '\n';
    for (const auto& word : lies()[i].words) EXPECT_THAT(words, HasSubstr(word));
    if (words.find("no answer") != std::string::npos) {
      EXPECT_THAT(words, HasSubstr(server.address().text())) << "who was asked";
    }
  }
  for (std::size_t i = lies().size(); i < lies().size() + honest; ++i) {
    EXPECT_EQ(results.at(site(i)).at("outcome").as_string(), "issued") << results.at(site(i));
  }

  const auto again = second->wait();
  EXPECT_EQ(again.status, 0) << again.err;
  // No order of the first run was wasted. The honest ones are issued once more, as --all asks.
  EXPECT_EQ(proxy_->count(CaRequest::Kind::new_order),
            static_cast<int>(lies().size()) + 2 * honest);
}

}  // namespace
}  // namespace certherd::e2e
