#include "demo/nginx.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <sstream>

#include "base/versioned_folder.hpp"
#include "crypto/private_key.hpp"
#include "demo/free_port.hpp"

namespace certherd::demo {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr int port_tries = 5;
constexpr Duration ready_within = 10s;
constexpr Duration stop_patience = 3s;

// Debian keeps it where ordinary users do not look.
Result<std::string> find_nginx() {
  std::vector<std::string> folders;
  if (const char* path = std::getenv("PATH")) {
    std::istringstream stream(path);
    for (std::string folder; std::getline(stream, folder, ':');) folders.push_back(folder);
  }
  folders.insert(folders.end(), {"/usr/sbin", "/usr/local/sbin"});
  for (const auto& folder : folders) {
    const auto program = fs::path(folder) / "nginx";
    if (access(program.c_str(), X_OK) == 0) return program.string();
  }
  return fail(Error::Kind::misconfigured, "start nginx",
              "there is no nginx here: run scripts/setup, or apt-get install nginx-light");
}

Result<std::string> read_pid(const fs::path& file) { return read_file(file, 64); }

}  // namespace

std::vector<std::string> Nginx::command(std::vector<std::string> more) const {
  const auto folder = options_.folder.string();
  std::vector<std::string> all = {
      program_, "-p", folder, "-c", folder + "/nginx.conf", "-e", folder + "/nginx.log"};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

std::vector<std::string> Nginx::reload_command() const { return command({"-s", "reload"}); }

Task<Result<std::unique_ptr<Nginx>>> Nginx::start(runtime::EventLoop* loop,
                                                  runtime::Offload* offload, NginxOptions options) {
  auto program = find_nginx();
  if (!program) co_return fail(std::move(program.error()));
  auto nginx = std::unique_ptr<Nginx>(new Nginx);
  nginx->loop_ = loop;
  nginx->options_ = std::move(options);
  nginx->program_ = std::move(*program);

  auto* self = nginx.get();
  const Time now = loop->clock().now();
  auto write = [self, now] { return self->write_placeholders(now); };
  auto placed = co_await offload->call(std::move(write));
  if (!placed) co_return fail(std::move(placed.error()).during("start nginx"));

  for (int i = 0; i < port_tries; ++i) {
    auto port = free_port();
    if (!port) co_return fail(std::move(port.error()));
    nginx->port_ = *port;
    if (auto written = nginx->write_config(); !written) co_return fail(written.error());
    auto listening = co_await nginx->launch();
    if (!listening) co_return fail(std::move(listening.error()));
    if (*listening) co_return nginx;
  }
  co_return fail(Error::Kind::transient, "start nginx", "every port it was given was taken");
}

Status Nginx::write_placeholders(Time now) const {
  auto key = crypto::PrivateKey::generate(KeyType::ecdsa_p256);
  if (!key) return fail(std::move(key.error()));
  const crypto::LocalCa ca("certherd demo placeholder", now);
  const VersionedFolder folder({.root = options_.certificates, .file_mode = 0600, .owner = {}});
  std::uint64_t serial = 1;
  for (const auto& name : options_.names) {
    const auto chain =
        ca.issue(key->public_key(), {name}, serial++, now - 24h, now + std::chrono::days(1));
    const std::vector<FileContent> files = {
        {.name = "privkey.pem", .content = key->to_pem()},
        {.name = "fullchain.pem", .content = Secret<std::string>(chain)}};
    auto current = folder.current(folder_name(name));
    if (!current) return fail(std::move(current.error()));
    if (*current) continue;  // a kept demo that is run again serves what it has
    auto placed = folder.switch_to(folder_name(name), "placeholder", files);
    if (!placed) return fail(std::move(placed.error()));
  }
  return {};
}

Status Nginx::write_config() const {
  const auto folder = options_.folder.string();
  std::string text = fmt::format(
      "daemon off;\n"
      "worker_processes 1;\n"
      "worker_shutdown_timeout 1s;\n"
      "pid {0}/nginx.pid;\n"
      "error_log {0}/nginx.log warn;\n"
      "events {{ worker_connections 2048; }}\n"
      "http {{\n"
      "  access_log off;\n"
      "  client_body_temp_path {0}/temp;\n"
      "  proxy_temp_path {0}/temp;\n"
      "  fastcgi_temp_path {0}/temp;\n"
      "  uwsgi_temp_path {0}/temp;\n"
      "  scgi_temp_path {0}/temp;\n"
      "  server_names_hash_max_size 65536;\n"
      "  server_names_hash_bucket_size 256;\n",
      folder);
  for (const auto& name : options_.names) {
    text += fmt::format(
        "  server {{\n"
        "    listen 127.0.0.1:{0} ssl;\n"
        "    server_name {1};\n"
        "    ssl_certificate {2}/{1}/fullchain.pem;\n"
        "    ssl_certificate_key {2}/{1}/privkey.pem;\n"
        "    return 200 \"{1}\\n\";\n"
        "  }}\n",
        port_, name, options_.certificates.string());
  }
  text += "}\n";
  const auto path = options_.folder / "nginx.conf";
  std::ofstream file(path, std::ios::trunc);
  file << text;
  file.close();
  if (!file) return fail(file_error("write nginx.conf", path, errno));
  return {};
}

// True when it listens, false when the port was taken.
Task<Result<bool>> Nginx::launch() {
  std::error_code ignored;
  fs::remove(options_.folder / "nginx.pid", ignored);
  fs::remove(options_.folder / "nginx.log", ignored);
  runtime::Command command;
  command.arguments = this->command({});
  command.log_file = options_.folder / "nginx.out";
  auto child = runtime::Child::start(*loop_, command);
  if (!child) co_return fail(std::move(child.error()).during("start nginx"));
  child_ = std::move(*child);

  // nginx writes its pid once all its sockets listen.
  const Time deadline = loop_->clock().now() + ready_within;
  while (loop_->clock().now() < deadline) {
    if (auto pid = read_pid(options_.folder / "nginx.pid"); pid && !pid->empty()) co_return true;
    if (child_->exit_status()) {
      auto words = read_file(options_.folder / "nginx.log", 1U << 20U);
      const auto log = words ? *words : std::string();
      if (log.find("Address already in use") != std::string::npos) co_return false;
      co_return fail(Error::Kind::misconfigured, "start nginx", "it ended at once: " + log);
    }
    co_await loop_->clock().sleep_for(20ms);
  }
  co_return fail(Error::Kind::deadline, "start nginx",
                 fmt::format("it does not listen after {}", format_duration(ready_within)));
}

Task<void> Nginx::stop() {
  if (child_) co_await child_->stop(stop_patience);
}

}  // namespace certherd::demo
