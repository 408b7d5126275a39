#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "acme/content_type.hpp"
#include "acme/urls.hpp"
#include "fuzz/fuzz.hpp"
#include "fuzz/targets.hpp"
#include "http/client.hpp"
#include "http/curl_client.hpp"
#include "http/url.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/task_group.hpp"

namespace certherd::fuzz {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr auto completion = asio::as_tuple(asio::use_awaitable);

/// A server that answers each connection with the same bytes, and the client that asks it. Kept,
/// so that an input costs a connection and no more.
struct Wire {
  std::unique_ptr<runtime::EventLoop> loop = runtime::make_event_loop();
  std::unique_ptr<http::Client> client =
      http::make_curl_client(*loop, {.user_agent = "certherd", .trust_pem = {}});
  tcp::acceptor acceptor{loop->context(), tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
  std::string url = "http://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()) + "/";
};

/// Until it is cancelled: the client asks again where a kept connection has ended.
Task<void> answer(Wire* wire, std::string_view bytes) {
  while (true) {
    auto [failed, socket] = co_await wire->acceptor.async_accept(completion);
    if (failed) co_return;
    // Read to its end, since closing before throws away what we have sent.
    asio::streambuf request;
    co_await asio::async_read_until(socket, request, "\r\n\r\n", completion);
    co_await asio::async_write(socket, asio::buffer(bytes), completion);
  }
}

Task<void> ask(Wire* wire, std::string_view bytes) {
  runtime::TaskGroup server(*wire->loop);
  server.spawn(answer(wire, bytes));
  http::Request request{
      .method = http::Request::Method::get, .url = wire->url, .headers = {}, .body = {}};
  const auto deadline = wire->loop->clock().now() + std::chrono::seconds(2);
  const auto response = co_await wire->client->send(std::move(request), deadline);
  server.cancel();
  co_await server.join();
  if (!is_good(response)) co_return;
  expect(response->status >= 100 && response->status <= 999, "an answer has a status");
  for (const auto& [name, value] : response->headers) {
    expect(std::ranges::none_of(name, [](char c) { return c >= 'A' && c <= 'Z'; }),
           "names of headers are in lower case");
    expect(value.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos,
           "a header is one line");
  }
}

void links(const http::Response& response, std::string_view relation) {
  constexpr std::string_view base = "https://ca.example/acme/orders/1?page=2";
  for (const auto& target : acme::links(response, relation)) {
    const auto resolved = acme::resolve_url(base, target);
    if (!is_good(resolved)) continue;
    const auto again = acme::resolve_url(base, *resolved);
    expect(again && *again == *resolved, "a URL that was resolved stays as it is");
  }
}

void url(const std::string& text) {
  is_good(acme::check_url(text));
  const auto address = http::check_url(text);
  if (!is_good(address)) return;
  expect(address->scheme == "https" || address->scheme == "http", "only HTTP is spoken");
  expect(!address->host.empty() && !address->port.empty(), "a URL has host and port");
  expect(address->without_query.find('?') == std::string::npos, "no query is told");
}

}  // namespace

/// The headers that mean something to us, and the URLs in them.
void http_headers(std::string_view input) {
  const auto response = response_of(input);
  if (const auto at = http::retry_after(response, now)) {
    expect(*at >= now && *at <= now + std::chrono::years(100), "a wait ends, and later");
    expect(parse_time(format_time(*at)).has_value(), "its end can be told");
  }
  for (const auto* relation : {"next", "alternate", "help", "terms-of-service"}) {
    links(response, relation);
  }
  const auto type = acme::content_type(response);
  expect(type.find(';') == std::string::npos && !type.ends_with(' '), "a media type stands alone");
  for (const auto& [name, value] : response.headers) url(value);
}

/// A server on the wire that sends these bytes, to the client as it is in the program.
void http_answer(std::string_view input) {
  static Wire wire;
  wire.loop->run(ask(&wire, input));
}

}  // namespace certherd::fuzz
