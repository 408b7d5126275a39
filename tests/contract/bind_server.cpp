#include "bind_server.hpp"

#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <utility>

#include "demo/free_port.hpp"
#include "dns/query.hpp"
#include "runtime/random.hpp"

namespace certherd::dns {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr int attempts = 5;  // somebody may take the port before named does

/// Debian keeps servers where only root's PATH looks.
std::string find_named() {
  for (const char* path : {"/usr/sbin/named", "/usr/local/sbin/named", "/usr/bin/named"}) {
    if (fs::exists(path)) return path;
  }
  return {};
}

}  // namespace

Task<Result<std::unique_ptr<BindServer>>> BindServer::start(
    runtime::EventLoop* loop, std::map<std::string, std::string> zones) {
  auto named = find_named();
  if (named.empty()) {
    co_return fail(Error::Kind::not_found, "start BIND",
                   "named (BIND 9) is not installed: run scripts/setup, which installs the package "
                   "bind9");
  }
  auto server = std::unique_ptr<BindServer>(new BindServer(loop));
  for (const auto& [zone, text] : zones) server->write(zone + ".zone", text);
  for (int i = 0; i < attempts; ++i) {
    auto launched = co_await server->launch(named, zones);
    if (!launched) co_return fail(std::move(launched.error()));
    if (*launched) co_return server;
    co_await server->stop();
  }
  co_return fail(Error::Kind::transient, "start BIND", server->log());
}

Task<Result<bool>> BindServer::launch(std::string named, std::map<std::string, std::string> zones) {
  const auto folder = folder_.path().string();
  const auto port = demo::free_port();
  if (!port) co_return fail(port.error());
  address_ = {.address = "127.0.0.1", .port = *port};
  std::string config = fmt::format(R"(
options {{
  directory "{0}";
  pid-file "{0}/named.pid";
  listen-on port {1} {{ 127.0.0.1; }};
  listen-on-v6 {{ none; }};
  recursion no;
  dnssec-validation no;
  empty-zones-enable no;
  minimal-responses yes;
  notify no;
}};
controls {{ }};
)",
                                   folder, address_.port);
  for (const auto& [zone, text] : zones) {
    fmt::format_to(std::back_inserter(config),
                   "zone \"{0}\" {{ type primary; file \"{0}.zone\"; }};\n", zone);
  }
  write("named.conf", config);
  runtime::Command command;
  command.arguments = {std::move(named), "-g", "-n", "1", "-c", folder + "/named.conf"};
  command.log_file = folder_.path() / "named.log";
  auto started = runtime::Child::start(*loop_, std::move(command));
  if (!started) co_return fail(std::move(started.error()));
  child_ = std::move(*started);
  co_return co_await answers(zones.begin()->first);
}

/// Whether named answers for a zone before it ends or half a minute has passed. It loads all zones
/// before it listens.
Task<bool> BindServer::answers(std::string zone) {
  runtime::SystemRandom random;
  Querier querier(*loop_, random);
  const Time deadline = loop_->clock().now() + 30s;
  while (loop_->clock().now() < deadline && !child_->exit_status()) {
    Question question{.name = zone, .type = RecordType::soa};
    auto reply = co_await querier.ask(address_, std::move(question), Transport::tcp, {}, deadline);
    if (reply && reply->authoritative) co_return true;
    co_await loop_->clock().sleep_for(20ms);
  }
  co_return false;
}

Task<void> BindServer::stop() {
  if (child_) co_await child_->stop(10s);
  child_.reset();
}

void BindServer::write(const std::string& name, std::string_view content) const {
  std::ofstream(folder_.path() / name) << content;
}

std::string BindServer::log() const {
  std::ifstream file(folder_.path() / "named.log");
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace certherd::dns
