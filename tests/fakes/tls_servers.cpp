#include "fakes/tls_servers.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "base/versioned_folder.hpp"

namespace certherd::fakes {
namespace {

using boost::asio::ip::tcp;
using namespace std::chrono_literals;

constexpr auto patience = 20s;
constexpr int port_draws = 5;

std::string nginx_program() {
  // Not everybody has sbin in PATH.
  const char* usual = "/usr/sbin/nginx";
  return std::filesystem::exists(usual) ? usual : "nginx";
}

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at)) {
    text.replace(at, what.size(), with);
  }
  return text;
}

}  // namespace

SilentServer::SilentServer(runtime::EventLoop& loop)
    : acceptor_(loop.context(), tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0)) {}

TlsServers::~TlsServers() {
  if (nginx_) loop_.run(nginx_->stop(5s));
}

void TlsServers::add(const std::string& name, const std::string& chain,
                     const crypto::PrivateKey& key, const std::string& address) {
  const auto file = (folder_.path() / (folder_name(name) + address)).string();
  std::ofstream(file + ".pem") << chain;
  std::ofstream(file + ".key") << key.to_pem().reveal();
  const auto listen = address.empty()
                          ? std::string("listen 127.0.0.1:PORT ssl; listen [::1]:PORT ssl;")
                          : fmt::format("listen {}:PORT ssl;", address);
  servers_ += fmt::format(
      "server {{ {0} server_name {1};\n"
      "ssl_certificate \"{2}.pem\"; ssl_certificate_key \"{2}.key\"; }}\n",
      listen, name, file);
}

// A free port may be taken before nginx has it: then others are drawn.
Status TlsServers::start() {
  const auto log = folder_.path() / "nginx.log";
  for (int draw = 0; draw < port_draws; ++draw) {
    port_ = SilentServer(loop_).port();
    plain_port_ = SilentServer(loop_).port();
    write_config();
    runtime::Command command;
    command.arguments = {nginx_program(),
                         "-e",
                         "stderr",
                         "-p",
                         folder_.path().string(),
                         "-c",
                         (folder_.path() / "nginx.conf").string()};
    command.log_file = log;
    auto child = runtime::Child::start(loop_, command);
    if (!child) return fail(std::move(child.error()));
    nginx_ = std::move(*child);
    if (loop_.run(listens())) return {};
  }
  return fail(Error::Kind::transient, "start nginx",
              "it did not start; install it: scripts/setup test\n" +
                  read_file(log, 10'000).value_or("it left no log"));
}

void TlsServers::write_config() const {
  std::ofstream(folder_.path() / "nginx.conf")
      << "daemon off; master_process off; error_log stderr; pid nginx.pid;\n"
      << "events { worker_connections 1024; }\n"
      << "http { access_log off; client_body_temp_path tmp; proxy_temp_path tmp;\n"
      << "fastcgi_temp_path tmp; uwsgi_temp_path tmp; scgi_temp_path tmp;\n"
      << "server_names_hash_max_size 65536; server_names_hash_bucket_size 256;\n"
      << "ssl_protocols " << protocols_ << ";\n"
      << replaced(servers_, "PORT", std::to_string(port_))
      << "server { listen 127.0.0.1:" << plain_port_ << "; return 404; } }\n";
}

// nginx writes its pid once all its sockets listen.
Task<bool> TlsServers::listens() {
  const auto pid = folder_.path() / "nginx.pid";
  const auto deadline = loop_.clock().now() + patience;
  while (!nginx_->exit_status() && loop_.clock().now() < deadline) {
    if (const auto written = read_file(pid, 64); written && !written->empty()) co_return true;
    co_await loop_.clock().sleep_for(10ms);
  }
  co_return false;
}

}  // namespace certherd::fakes
