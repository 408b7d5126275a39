#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "base/secret.hpp"
#include "http/client.hpp"
#include "runtime/event_loop.hpp"

namespace certherd::http {

struct CurlOptions {
  std::string user_agent;
  std::string trust_pem;             ///< roots trusted besides the system's; empty: none
  std::string certificate_pem = {};  ///< shown to servers that ask for one, with its chain
  Secret<std::string> key_pem = {};  ///< that certificate's
  std::size_t body_limit = 4U << 20U;
  int connections_per_host = 8;
};

/// libcurl's multi interface on the loop's sockets and clock. HTTP/2 where the server speaks it.
/// Must outlive every send() it was asked for.
std::unique_ptr<Client> make_curl_client(runtime::EventLoop& loop, CurlOptions options);

}  // namespace certherd::http
