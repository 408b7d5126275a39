#pragma once

#include <memory>
#include <string>

#include "base/secret.hpp"
#include "http/client.hpp"
#include "notify/notifier.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/offload.hpp"

namespace certherd::notify {

struct WebhookOptions {
  Secret<std::string> url;    ///< such URLs carry tokens, so only its host is ever shown
  Secret<std::string> token;  ///< sent as a bearer token; empty: none
  http::Headers headers;      ///< besides
  std::string trust_pem;      ///< for check(): the client has its own
  Duration timeout = std::chrono::seconds(30);
};

/// POSTs a JSON document to a URL; any 2xx means that it was taken. Errors: misconfigured (a URL
/// that check_url() does not take).
Result<std::unique_ptr<Notifier>> make_webhook(runtime::EventLoop& loop, runtime::Offload& offload,
                                               std::unique_ptr<http::Client> client,
                                               WebhookOptions options);

}  // namespace certherd::notify
