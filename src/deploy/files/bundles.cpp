#include "deploy/files/bundles.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "crypto/x509.hpp"

namespace certherd::deploy {
namespace {

constexpr std::array<std::pair<std::string_view, Server>, 4> servers_by_name = {{
    {"nginx", Server::nginx},
    {"haproxy", Server::haproxy},
    {"apache", Server::apache},
    {"lighttpd", Server::lighttpd},
}};

// In one piece of memory, so that no copy of the key is left behind.
Secret<std::string> joined(const std::string& first, const std::string& second) {
  std::string text;
  text.reserve(first.size() + 1 + second.size());
  text += first;
  if (!first.ends_with('\n')) text += '\n';
  text += second;
  return Secret<std::string>(std::move(text));
}

}  // namespace

std::optional<Server> parse_server(std::string_view name) {
  for (const auto& [known, server] : servers_by_name) {
    if (known == name) return server;
  }
  return std::nullopt;
}

std::string server_names() {
  std::string list;
  for (const auto& [name, server] : servers_by_name) {
    list += fmt::format("{}{}", list.empty() ? "" : ", ", name);
  }
  return list;
}

Result<std::vector<FileContent>> bundles_of(const Material& material,
                                            const std::set<Server>& servers) {
  const auto& key = material.private_key.reveal();
  const bool apache = servers.contains(Server::apache);
  const bool lighttpd = servers.contains(Server::lighttpd);
  std::vector<FileContent> files;
  if (servers.contains(Server::haproxy)) {
    files.push_back({"bundle.pem", joined(key, material.fullchain)});
  }
  if (!apache && !lighttpd) return files;

  auto chain = crypto::split_chain(material.fullchain);
  if (!chain) return fail(std::move(chain.error()).during("take the chain apart"));
  if (apache) files.push_back({"cert.pem", Secret<std::string>(chain->leaf)});
  if (lighttpd) files.push_back({"pemfile.pem", joined(chain->leaf, key)});
  files.push_back({"chain.pem", Secret<std::string>(chain->others)});
  return files;
}

}  // namespace certherd::deploy
