#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/versioned_folder.hpp"
#include "model/material.hpp"

namespace certherd::deploy {

/// Programs that read certificates from files, each in its own order.
enum class Server {
  nginx,     ///< privkey.pem and fullchain.pem are all that it wants
  haproxy,   ///< `crt`: bundle.pem is the key, then the full chain
  apache,    ///< before 2.4.8, SSLCertificateFile cert.pem and SSLCertificateChainFile chain.pem
  lighttpd,  ///< ssl.pemfile: pemfile.pem is the leaf, then the key; ssl.ca-file: chain.pem
};

/// By the names of the config.
std::optional<Server> parse_server(std::string_view name);

/// Those names, as a list for people.
std::string server_names();

/// What these servers want besides privkey.pem and fullchain.pem, each file once. Where the leaf is
/// apart, chain.pem is what stands above it; empty when nothing does. Errors: rejected when the
/// chain cannot be taken apart.
Result<std::vector<FileContent>> bundles_of(const Material& material,
                                            const std::set<Server>& servers);

}  // namespace certherd::deploy
