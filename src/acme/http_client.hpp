#pragma once

#include <memory>
#include <string>

#include "acme/client.hpp"
#include "crypto/private_key.hpp"
#include "http/client.hpp"
#include "runtime/clock.hpp"
#include "runtime/offload.hpp"

namespace certherd::acme {

struct ClientOptions {
  std::string directory_url;
  crypto::PrivateKey account_key;
  Duration request_timeout = std::chrono::seconds(60);
};

/// The client over HTTPS. The services must outlive it.
std::unique_ptr<Client> make_client(http::Client& http, runtime::Clock& clock,
                                    runtime::Offload& offload, ClientOptions options);

}  // namespace certherd::acme
