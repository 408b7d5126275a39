#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "acme/client.hpp"
#include "crypto/private_key.hpp"
#include "http/client.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/offload.hpp"

namespace certherd::acme {

struct ClientOptions {
  std::string directory_url;
  crypto::PrivateKey account_key;
  Duration request_timeout = std::chrono::seconds(60);
  std::size_t requests_at_once = 64;  ///< under way at this CA at one time
};

/// The client over HTTPS. The services must outlive it.
std::unique_ptr<Client> make_client(http::Client& http, runtime::EventLoop& loop,
                                    runtime::Offload& offload, ClientOptions options);

}  // namespace certherd::acme
