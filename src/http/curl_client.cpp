#include "http/curl_client.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <utility>

#include "http/curl_multi.hpp"
#include "http/curl_transfer.hpp"
#include "http/curl_trust.hpp"
#include "http/url.hpp"
#include "runtime/timeouts.hpp"

namespace certherd::http {
namespace {

/// libcurl's own state for the whole process, never taken down.
void initialise_curl() {
  static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
  static_cast<void>(code);  // a failure shows again, with words, at the first transfer
}

/// Keeps a transfer on the multi handle for as long as a scope lasts, however it is left.
class Registration {
 public:
  Registration(CurlMulti& multi, CurlTransfer& transfer) : multi_(multi), transfer_(transfer) {
    multi_.add(transfer_);
  }
  ~Registration() { multi_.remove(transfer_); }
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;

 private:
  CurlMulti& multi_;
  CurlTransfer& transfer_;
};

class CurlClient final : public Client {
 public:
  CurlClient(runtime::EventLoop& loop, CurlOptions options)
      : loop_(loop),
        options_(std::move(options)),
        trust_(options_.trust_pem),
        multi_(loop.context(), options_.connections_per_host) {}

  Task<Result<Response>> send(Request request, Time deadline) override {
    co_await runtime::cancellation_point();
    auto address = check_url(request.url);
    if (!address) co_return fail(std::move(address.error()));
    if (!are_well_formed(request.headers)) {
      co_return fail(Error::Kind::misconfigured, "send to " + address->without_query,
                     "a header's name is not one, or its value has a line break in it");
    }
    CurlTransfer transfer(loop_, options_, trust_, std::move(request), std::move(*address));
    const Registration registration(multi_, transfer);
    const Time begun = loop_.clock().now();
    if (!co_await runtime::finished_by(&loop_.clock(), deadline, transfer.finished())) {
      const auto waited = std::chrono::ceil<std::chrono::seconds>(deadline - begun);
      co_return fail(Error::Kind::deadline, transfer.name(),
                     fmt::format("there was no whole answer within {}", format_duration(waited)));
    }
    co_return transfer.take_result();
  }

 private:
  runtime::EventLoop& loop_;
  CurlOptions options_;
  CurlTrust trust_;
  CurlMulti multi_;
};

}  // namespace

std::unique_ptr<Client> make_curl_client(runtime::EventLoop& loop, CurlOptions options) {
  initialise_curl();
  return std::make_unique<CurlClient>(loop, std::move(options));
}

}  // namespace certherd::http
