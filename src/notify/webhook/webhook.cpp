#include "notify/webhook/webhook.hpp"

#include <fmt/format.h>

#include "base/utf8.hpp"
#include "http/curl_trust.hpp"
#include "http/url.hpp"
#include "notify/curl_call.hpp"
#include "notify/webhook/document.hpp"

namespace certherd::notify {
namespace {

using Kind = Error::Kind;

// A document of so many is some hundred kilobytes.
constexpr std::size_t most_alarms = 500;
constexpr std::size_t most_words = 200;

Kind kind_of(const http::Response& response) {
  const int status = response.status;
  if (status == 429) return Kind::throttled;
  if (status == 401 || status == 403) return Kind::denied;
  if (status == 404 || status == 410) return Kind::not_found;
  if (status == 408 || status >= 500) return Kind::transient;
  if (status >= 300 && status < 400) return Kind::misconfigured;
  return Kind::rejected;
}

std::string_view remedy_for(Kind kind) {
  switch (kind) {
    case Kind::denied:
      return "; look at its token";
    case Kind::not_found:
      return "; look at its url";
    case Kind::misconfigured:
      return "; redirects are not followed, so url has to name the right place";
    default:
      return "";
  }
}

class Webhook final : public Notifier {
 public:
  Webhook(runtime::EventLoop& loop, runtime::Offload& offload, std::unique_ptr<http::Client> client,
          WebhookOptions options, const http::Address& address)
      : loop_(loop),
        offload_(offload),
        client_(std::move(client)),
        options_(std::move(options)),
        place_(fmt::format("{}://{}", address.scheme, address.host_and_port())) {}

  Task<Status> send(Notice notice) override {
    http::Request request;
    request.method = http::Request::Method::post;
    request.url = options_.url.reveal();
    request.headers = options_.headers;
    request.headers.emplace_back("Content-Type", "application/json");
    if (!options_.token.empty()) {
      request.headers.emplace_back("Authorization", "Bearer " + options_.token.reveal());
    }
    request.body = webhook::document_of(notice);
    auto response =
        co_await client_->send(std::move(request), loop_.clock().now() + options_.timeout);
    if (!response) {
      // Its op names the path, which may be a token.
      response.error().op = "POST to " + place_;
      co_return fail(std::move(response.error()));
    }
    if (response->status >= 200 && response->status < 300) co_return Status();
    co_return fail(refusal(*response));
  }

  Task<Status> check() override {
    // A connection and no request: even a HEAD may be an alarm to somebody.
    Status status;
    co_await run_stoppable(&loop_, &offload_, [this, &status](const std::atomic<bool>& stop) {
      status = connect(stop);
    });
    co_return status;
  }

  std::size_t most_at_once() const override { return most_alarms; }

 private:
  Error refusal(const http::Response& response) const {
    Error error;
    error.kind = kind_of(response);
    error.op = "POST to " + place_;
    error.detail = fmt::format("it answered {}{}{}", response.status, words_of(response.body),
                               remedy_for(error.kind));
    error.retry_at = http::retry_after(response, loop_.clock().now());
    return error;
  }

  /// The beginning of what it said, unless that repeats a secret of ours.
  std::string words_of(const std::string& body) const {
    const auto& url = options_.url.reveal();
    const auto path = url.substr(std::min(url.find('/', url.find("://") + 3), url.size()));
    const auto repeats = [&body](const std::string& secret) {
      return secret.size() > 1 && body.find(secret) != std::string::npos;
    };
    if (body.empty() || !is_utf8(body) || repeats(path) || repeats(options_.token.reveal())) {
      return {};
    }
    auto words = cleaned(body);
    if (words.size() > most_words) return {};
    return ": " + words;
  }

  Status connect(const std::atomic<bool>& stop) const {
    const auto limit = std::chrono::duration_cast<std::chrono::milliseconds>(options_.timeout);
    CurlCall call(options_.url.reveal(), limit, &stop);
    const http::CurlTrust trust(options_.trust_pem);
    trust.apply(call.easy());
    curl_easy_setopt(call.easy(), CURLOPT_CONNECT_ONLY, 1L);
    const auto code = call.perform();
    if (code == CURLE_OK) return {};
    return fail(code == CURLE_PEER_FAILED_VERIFICATION ? Kind::rejected : Kind::transient,
                "connect to " + place_, call.words(code));
  }

  runtime::EventLoop& loop_;
  runtime::Offload& offload_;
  std::unique_ptr<http::Client> client_;
  WebhookOptions options_;
  std::string place_;  // all of the URL that may be shown
};

}  // namespace

Result<std::unique_ptr<Notifier>> make_webhook(runtime::EventLoop& loop, runtime::Offload& offload,
                                               std::unique_ptr<http::Client> client,
                                               WebhookOptions options) {
  const auto address = http::check_url(options.url.reveal());
  if (!address) {
    return fail(Kind::misconfigured, "open a webhook",
                "url is no https:// URL (http:// is for this machine only), or carries a password");
  }
  return std::make_unique<Webhook>(loop, offload, std::move(client), std::move(options), *address);
}

}  // namespace certherd::notify
