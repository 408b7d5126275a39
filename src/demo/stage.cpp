#include "demo/stage.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <fstream>

#include "base/versioned_folder.hpp"
#include "demo/free_port.hpp"
#include "http/curl_client.hpp"

namespace certherd::demo {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr auto zone = "fleet.test";

// Pebble, up to 2.10 at least, waits for ever now and then when a new order comes while another
// one's authorization is read: one holds the lock that the other wants. It never hangs when its
// requests come one at a time, and answers each within milliseconds.
constexpr int requests_at_once = 1;

// Pebble 2.4, as Debian has it, hangs for ever with about twelve orders in flight.
constexpr int old_pebble_in_flight = 8;
constexpr int in_flight = 500;

std::vector<std::string> site_names(int count) {
  std::vector<std::string> names;
  for (int i = 1; i <= count; ++i) names.push_back(fmt::format("site-{:04}.{}", i, zone));
  return names;
}

Status write_file(const fs::path& path, std::string_view text) {
  std::ofstream file(path, std::ios::trunc);
  file << text;
  file.close();
  if (!file) return fail(file_error("write", path, errno));
  return {};
}

std::string quoted(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += fmt::format("{}\"{}\"", text.empty() ? "" : ", ", word);
  return text;
}

}  // namespace

Task<Result<std::unique_ptr<Stage>>> Stage::set(runtime::EventLoop* loop, runtime::Offload* offload,
                                                StageOptions options) {
  auto stage = std::unique_ptr<Stage>(new Stage);
  const auto names = site_names(options.domains);
  const auto pebble_folder = options.folder / "pebble";
  const auto edge_folder = options.folder / "nginx";
  const auto certificates = options.folder / "edge";
  std::error_code failure;
  for (const auto& folder : {pebble_folder, edge_folder, certificates}) {
    fs::create_directories(folder, failure);
    if (failure) co_return fail(file_error("set the stage", folder, failure.value()));
  }

  auto dns_port = free_port();
  if (!dns_port) co_return fail(std::move(dns_port.error()));
  const auto dns = fmt::format("127.0.0.1:{}", *dns_port);
  PebbleOptions ca;
  ca.folder = pebble_folder;
  ca.dns_server = dns;
  // The pause before it looks serves to catch impatient clients, and would only make us wait.
  ca.environment = std::move(options.environment);
  ca.environment.emplace("PEBBLE_VA_NOSLEEP", "1");
  ca.domain_blocklist = std::move(options.domain_blocklist);
  ca.external_account_keys = std::move(options.external_account_keys);
  ca.certificate_validity = options.certificate_validity;
  auto pebble = co_await PebbleServer::start(loop, offload, std::move(ca));
  if (!pebble) co_return fail(std::move(pebble.error()));
  stage->pebble_ = std::move(*pebble);
  auto old = co_await stage->is_old_pebble(loop);
  if (!old) co_return fail(std::move(old.error()));

  NginxOptions edge{.folder = edge_folder, .certificates = certificates, .names = names};
  auto nginx = co_await Nginx::start(loop, offload, std::move(edge));
  if (!nginx) co_return fail(std::move(nginx.error()));
  stage->nginx_ = std::move(*nginx);

  const auto trust = options.folder / "pebble-https-root.pem";
  const auto roots = options.folder / "pebble-issuing-root.pem";
  if (auto written = write_file(trust, stage->pebble_->trust_pem()); !written) {
    co_return fail(std::move(written.error()));
  }
  if (auto written = write_file(roots, stage->pebble_->issuing_root_pem()); !written) {
    co_return fail(std::move(written.error()));
  }

  stage->config_ = fmt::format(
      "# Written by certherd demo: Pebble as the CA, nginx as the edge, all on this machine.\n"
      "[store]\n"
      "url = \"sqlite:state.db\"\n"
      "seal_key = {{ file = \"certherd.key\" }}\n\n"
      "[ca.pebble]\n"
      "directory = \"{directory}\"\n"
      "contact = [\"ops@{zone}\"]\n"
      "terms_of_service_agreed = true\n"
      "trust = \"pebble-https-root.pem\"\n"
      "max_in_flight = {in_flight}\n"
      "requests_at_once = {requests_at_once}\n\n"
      "[dns.responder]\n"
      "type = \"responder\"\n"
      "listen = [\"{dns}\"]\n"
      "zones = [\"{zone}\"]\n"
      "responses_per_second = 0   # no limit: all clients are on this machine\n\n"
      "[vault.files]\n"
      "type = \"directory\"\n"
      "path = \"vault\"\n\n"
      "[target.nginx]\n"
      "type = \"files\"\n"
      "path = \"edge\"\n"
      "reload = [{reload}]\n\n"
      "[defaults]\n"
      "ca = \"pebble\"\n"
      "dns = \"responder\"\n"
      "vault = \"files\"\n"
      "targets = [\"nginx\"]\n"
      "prove_within = \"1m\"\n\n"
      "[resolver]\n"
      "servers = [\"{dns}\"]\n"
      "authoritative_port = {dns_port}\n"
      "check_within = \"1m\"\n\n"
      "[probe]\n"
      "trust = \"pebble-issuing-root.pem\"\n",
      fmt::arg("directory", stage->pebble_->directory_url()), fmt::arg("zone", zone),
      fmt::arg("in_flight", *old ? old_pebble_in_flight : in_flight),
      fmt::arg("requests_at_once", requests_at_once), fmt::arg("dns", dns),
      fmt::arg("dns_port", *dns_port), fmt::arg("reload", quoted(stage->nginx_->reload_command())));

  stage->inventory_ = "domain,endpoints,owner\n";
  for (const auto& name : names) {
    stage->inventory_ += fmt::format("{0},{0}:{1}@127.0.0.1,demo\n", name, stage->nginx_->port());
  }
  co_return stage;
}

// Renewal information came with Pebble 2.6, long after the version that hangs.
Task<Result<bool>> Stage::is_old_pebble(runtime::EventLoop* loop) const {
  http::CurlOptions options;
  options.user_agent = "certherd-demo";
  options.trust_pem = pebble_->trust_pem();
  const auto client = http::make_curl_client(*loop, std::move(options));
  http::Request request;
  request.url = pebble_->directory_url();
  auto response = co_await client->send(std::move(request), loop->clock().now() + 10s);
  if (!response) co_return fail(std::move(response.error()));
  co_return response->body.find("renewalInfo") == std::string::npos;
}

Task<void> Stage::strike() {
  co_await nginx_->stop();
  co_await pebble_->stop();
}

}  // namespace certherd::demo
