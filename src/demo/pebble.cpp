#include "demo/pebble.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <fstream>
#include <utility>

#include "base/versioned_folder.hpp"
#include "crypto/local_ca.hpp"
#include "crypto/private_key.hpp"
#include "demo/free_port.hpp"
#include "http/curl_client.hpp"

namespace certherd::demo {
namespace {

namespace json = boost::json;

constexpr auto start_patience = std::chrono::seconds(30);
constexpr auto ask_every = std::chrono::milliseconds(50);
constexpr auto stop_patience = std::chrono::seconds(5);
constexpr int port_draws = 5;

struct Files {
  std::filesystem::path certificate;
  std::filesystem::path private_key;
  std::string trust_pem;
};

Status write_file(const std::filesystem::path& path, std::string_view content) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << content;
  file.close();
  if (file) return {};
  return fail(Error::Kind::misconfigured, "start pebble",
              fmt::format("{} cannot be written", path.string()));
}

/// Pebble comes without HTTPS of its own: a root and a certificate for loopback.
Result<Files> make_https(const std::filesystem::path& folder, Time now) {
  auto key = crypto::PrivateKey::generate(KeyType::ecdsa_p256);
  if (!key) return fail(std::move(key.error()).during("start pebble"));
  const crypto::LocalCa ca("certherd local server root", now);
  const auto chain = ca.issue(key->public_key(), {"localhost", "127.0.0.1"}, 1,
                              now - std::chrono::days(1), now + std::chrono::days(365));
  Files files{folder / "pebble-https.pem", folder / "pebble-https.key", ca.root_pem()};
  if (auto done = write_file(files.certificate, chain); !done) return fail(std::move(done.error()));
  std::error_code ignored;  // what cannot be removed is met again when it is created
  std::filesystem::remove(files.private_key, ignored);
  auto written = create_private_file(files.private_key, key->to_pem().reveal());
  if (!written) return fail(std::move(written.error()).during("start pebble"));
  return files;
}

std::string config_text(const PebbleOptions& options, const Files& files, std::uint16_t port,
                        std::uint16_t management_port) {
  json::array blocked(options.domain_blocklist.begin(), options.domain_blocklist.end());
  const auto retry = options.retry_after.count();
  json::object profiles;
  for (const auto& [name, description] : options.profiles) {
    profiles[name] = {{"description", description},
                      {"validityPeriod", options.certificate_validity.count()}};
  }
  json::object keys;
  for (const auto& [kid, key] : options.external_account_keys) keys[kid] = key;
  const json::object pebble = {
      {"listenAddress", fmt::format("127.0.0.1:{}", port)},
      {"managementListenAddress", fmt::format("127.0.0.1:{}", management_port)},
      {"certificate", files.certificate.string()},
      {"privateKey", files.private_key.string()},
      // Only http-01 and tls-alpn-01 would use these two ports, and we ask for neither.
      {"httpPort", 5002},
      {"tlsPort", 5001},
      {"ocspResponderURL", ""},
      {"externalAccountBindingRequired", !options.external_account_keys.empty()},
      {"externalAccountMACKeys", std::move(keys)},
      {"domainBlocklist", std::move(blocked)},
      {"retryAfter", {{"authz", retry}, {"order", retry}}},
      {"profiles", std::move(profiles)},
  };
  return json::serialize(json::object{{"pebble", pebble}});
}

std::string last_words(const std::filesystem::path& log_file) {
  constexpr std::size_t enough = 600;
  std::ifstream file(log_file, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (text.size() > enough) text.erase(0, text.size() - enough);
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

}  // namespace

Task<Result<std::unique_ptr<PebbleServer>>> PebbleServer::start(runtime::EventLoop* loop,
                                                                runtime::Offload* offload,
                                                                PebbleOptions options) {
  auto program = find_pebble();
  if (!program) co_return fail(std::move(program.error()));

  const Time now = loop->clock().now();
  auto make_files = [&options, now] { return make_https(options.folder, now); };
  auto files = co_await offload->call(std::move(make_files));
  if (!files) co_return fail(std::move(files.error()));

  std::unique_ptr<PebbleServer> server(new PebbleServer());
  server->loop_ = loop;
  server->config_file_ = options.folder / "pebble.json";
  server->log_file_ = options.folder / "pebble.log";
  server->trust_pem_ = files->trust_pem;
  http::CurlOptions curl{.user_agent = "certherd-demo", .trust_pem = files->trust_pem};
  server->http_ = http::make_curl_client(*loop, std::move(curl));

  for (int draw = 0; draw < port_draws; ++draw) {
    const auto port = free_port();
    const auto management_port = free_port();
    if (!port) co_return fail(port.error());
    if (!management_port) co_return fail(management_port.error());
    auto written =
        write_file(server->config_file_, config_text(options, *files, *port, *management_port));
    if (!written) co_return fail(std::move(written.error()));
    server->directory_url_ = fmt::format("https://127.0.0.1:{}/dir", *port);
    server->management_url_ = fmt::format("https://127.0.0.1:{}", *management_port);

    auto outcome =
        co_await server->launch(program->string(), options.dns_server, options.environment);
    if (!outcome) co_return fail(std::move(outcome.error()));
    if (*outcome == Outcome::ready) co_return server;
  }
  co_return fail(Error::Kind::transient, "start pebble",
                 fmt::format("{} draws of free ports were all taken by others", port_draws));
}

Task<Result<PebbleServer::Outcome>> PebbleServer::launch(
    std::string program, std::string dns_server, std::map<std::string, std::string> environment) {
  runtime::Command command;
  command.arguments = {std::move(program), "-config", config_file_.string()};
  if (!dns_server.empty()) {
    command.arguments.emplace_back("-dnsserver");
    command.arguments.push_back(std::move(dns_server));
  }
  command.environment = std::move(environment);
  command.log_file = log_file_;
  auto child = runtime::Child::start(*loop_, command);
  if (!child) co_return fail(std::move(child.error()).during("start pebble"));
  child_ = std::move(*child);
  co_return co_await wait_until_ready();
}

Task<Result<PebbleServer::Outcome>> PebbleServer::wait_until_ready() {
  auto& clock = loop_->clock();
  const Time deadline = clock.now() + start_patience;
  while (true) {
    // Our own root stands behind both, so no stranger's server on that port is taken for it.
    http::Request directory;
    directory.url = directory_url_;
    auto answer = co_await http_->send(std::move(directory), deadline);
    if (answer && answer->status == 200) {
      http::Request roots;
      roots.url = management_url_ + "/roots/0";
      answer = co_await http_->send(std::move(roots), deadline);
      if (answer && answer->status == 200) {
        issuing_root_pem_ = std::move(answer->body);
        co_return Outcome::ready;
      }
    }
    if (child_->exit_status()) {
      auto words = last_words(log_file_);
      if (words.contains("address already in use")) co_return Outcome::ports_taken;
      co_return fail(Error::Kind::misconfigured, "start pebble", "it ended: " + words);
    }
    if (clock.now() >= deadline) {
      auto words = answer ? fmt::format("it answers {}", answer->status) : answer.error().message();
      co_return fail(Error::Kind::deadline, "start pebble", std::move(words));
    }
    co_await clock.sleep_for(ask_every);
  }
}

Task<void> PebbleServer::stop() {
  if (child_) co_await child_->stop(stop_patience);
  child_.reset();
}

}  // namespace certherd::demo
