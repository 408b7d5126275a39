#include "ca_proxy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cctype>

#include "crypto/encoding.hpp"
#include "crypto/local_ca.hpp"
#include "http/curl_client.hpp"
#include "runtime/event_loop.hpp"

namespace certherd::e2e {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using http::Headers;
using Kind = CaRequest::Kind;

// How Pebble's URLs begin (wfe/wfe.go).
constexpr std::array<std::pair<std::string_view, Kind>, 13> kinds = {{
    {"/dir", Kind::directory},
    {"/nonce-plz", Kind::nonce},
    {"/sign-me-up", Kind::new_account},
    {"/my-account/", Kind::account},
    {"/list-orderz/", Kind::orders},
    {"/order-plz", Kind::new_order},
    {"/my-order/", Kind::order},
    {"/authZ/", Kind::authorization},
    {"/chalZ/", Kind::challenge},
    {"/finalize-order/", Kind::finalize},
    {"/certZ/", Kind::certificate},
    {"/rollover-account-key", Kind::key_change},
    {"/revoke-cert", Kind::revoke},
}};

Kind kind_of(std::string_view path) {
  const auto* found = std::ranges::find_if(
      kinds, [path](const auto& kind) { return path.starts_with(kind.first); });
  return found == kinds.end() ? Kind::other : found->second;
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

/// The part before the next `end`, which is taken off along with it.
std::string_view cut(std::string_view& text, std::string_view end) {
  const auto at = text.find(end);
  const auto part = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + end.size());
  return part;
}

/// Where the path of a URL begins.
std::size_t end_of_base(std::string_view url) { return url.find('/', url.find("://") + 3); }

CaRequest parse_request(std::string_view bytes) {
  CaRequest request;
  auto line = cut(bytes, "\r\n");
  request.method = cut(line, " ");
  request.path = cut(line, " ");
  request.kind = kind_of(request.path);
  while (!bytes.starts_with("\r\n") && !bytes.empty()) {
    auto header = cut(bytes, "\r\n");
    const auto name = cut(header, ":");
    header.remove_prefix(std::min(header.find_first_not_of(' '), header.size()));
    request.headers.emplace_back(lower(name), header);
  }
  bytes.remove_prefix(std::min<std::size_t>(2, bytes.size()));
  request.body = bytes;
  return request;
}

/// What belongs to one connection and not to the message (RFC 9110 section 7.6.1).
bool is_of_the_connection(std::string_view name) {
  return name == "connection" || name == "transfer-encoding" || name == "content-length" ||
         name == "keep-alive" || name == "te";
}

http::Request::Method method_of(const CaRequest& request) {
  if (request.method == "POST") return http::Request::Method::post;
  return request.method == "HEAD" ? http::Request::Method::head : http::Request::Method::get;
}

http::TestServer::Answer serialise(CaAnswer answer, bool head_only) {
  if (answer.hang_up) return {.bytes = "", .close = true};
  std::string bytes = fmt::format("HTTP/1.1 {} Whatever\r\n", answer.status);
  for (const auto& [name, value] : answer.headers) bytes += name + ": " + value + "\r\n";
  if (answer.more) {
    bytes += "Connection: close\r\n";
  } else if (!head_only) {
    bytes += fmt::format("Content-Length: {}\r\n", answer.body.size());
  }
  bytes += "\r\n";
  if (!head_only) bytes += answer.body;
  return {.bytes = std::move(bytes), .close = answer.more != nullptr, .more = answer.more};
}

}  // namespace

json::object CaRequest::payload() const {
  boost::system::error_code failure;
  const auto jws = json::parse(body, failure);
  const auto* const object = jws.if_object();
  const auto* const encoded = object == nullptr ? nullptr : object->if_contains("payload");
  if (failure || encoded == nullptr) return {};
  const auto text = crypto::from_base64url(std::string(encoded->as_string()));
  return text && !text->empty() ? json::parse(*text).as_object() : json::object();
}

CaAnswer json_answer(const json::value& body, int status) {
  return {.status = status,
          .headers = {{"Content-Type", "application/json"}},
          .body = json::serialize(body),
          .hang_up = false,
          .more = nullptr};
}

CaAnswer problem_answer(const std::string& acme_type, const std::string& detail, int status) {
  auto answer = json_answer(
      {{"type", "urn:ietf:params:acme:error:" + acme_type}, {"detail", detail}, {"status", status}},
      status);
  set_header(answer, "Content-Type", "application/problem+json");
  return answer;
}

CaAnswer html_answer(int status) {
  return {.status = status,
          .headers = {{"Content-Type", "text/html; charset=utf-8"}},
          .body = "<html><body><h1>Something went wrong</h1></body></html>",
          .hang_up = false,
          .more = nullptr};
}

CaAnswer hang_up() {
  CaAnswer answer;
  answer.hang_up = true;
  return answer;
}

void remove_header(CaAnswer& answer, const std::string& name) {
  std::erase_if(answer.headers,
                [&](const auto& header) { return lower(header.first) == lower(name); });
}

void set_header(CaAnswer& answer, const std::string& name, const std::string& value) {
  remove_header(answer, name);
  answer.headers.emplace_back(name, value);
}

void edit(CaAnswer& answer, const std::function<void(json::object&)>& change) {
  auto object = json::parse(answer.body).as_object();
  change(object);
  answer.body = json::serialize(object);
}

/// One client for all connections, and one exchange at a time: Pebble waits for ever now and then
/// when orders come while authorizations are read.
class CaProxy::Upstream {
 public:
  Upstream(const std::string& directory_url, const std::string& trust_pem)
      : base_(directory_url.substr(0, end_of_base(directory_url))),
        loop_(runtime::make_event_loop()) {
    http::CurlOptions options;
    options.trust_pem = trust_pem;
    client_ = http::make_curl_client(*loop_, std::move(options));
  }

  Time now() const { return loop_->clock().now(); }

  CaAnswer ask(const CaRequest& request) {
    http::Request sent;
    sent.method = method_of(request);
    sent.url = base_ + request.path;
    sent.body = request.body;
    for (const auto& header : request.headers) {
      if (!is_of_the_connection(header.first)) sent.headers.push_back(header);
    }
    const std::scoped_lock lock(mutex_);
    auto response = loop_->run(client_->send(std::move(sent), loop_->clock().now() + 30s));
    if (!response) return html_answer(502);  // as other gateways do
    CaAnswer answer;
    answer.status = response->status;
    answer.body = std::move(response->body);
    for (auto& header : response->headers) {
      if (!is_of_the_connection(header.first)) answer.headers.push_back(std::move(header));
    }
    return answer;
  }

 private:
  const std::string base_;
  std::mutex mutex_;
  std::unique_ptr<runtime::EventLoop> loop_;
  std::unique_ptr<http::Client> client_;
};

CaProxy::CaProxy(const std::string& directory_url, const std::string& trust_pem, const Https& https)
    : upstream_(std::make_unique<Upstream>(directory_url, trust_pem)),
      directory_path_(directory_url.substr(end_of_base(directory_url))) {
  const Time now = upstream_->now();
  const auto key = crypto::PrivateKey::generate(KeyType::ecdsa_p256).value();
  // As old as what it signs.
  const crypto::LocalCa root("Root of the CA proxy", now + std::min(https.begins, Duration(0)));
  trust_pem_ = root.root_pem();
  const auto chain =
      root.issue(key.public_key(), https.names, 1, now + https.begins, now + https.ends);
  server_ = std::make_unique<http::TestServer>(
      [this](const std::string& bytes) { return answer(bytes); },
      http::TestServer::Tls{.chain_pem = chain, .key_pem = key.to_pem().reveal()});
}

CaProxy::~CaProxy() = default;

void CaProxy::set_hook(Hook hook) {
  const std::scoped_lock lock(mutex_);
  hook_ = std::move(hook);
}

std::string CaProxy::directory_url(const std::string& host) const {
  return server_->url(directory_path_, host);
}

int CaProxy::count(Kind kind) const {
  const std::scoped_lock lock(mutex_);
  return static_cast<int>(std::ranges::count(seen_, kind));
}

int CaProxy::count() const {
  const std::scoped_lock lock(mutex_);
  return static_cast<int>(seen_.size());
}

http::TestServer::Answer CaProxy::answer(const std::string& bytes) {
  auto request = parse_request(bytes);
  Hook hook;
  {
    const std::scoped_lock lock(mutex_);
    seen_.push_back(request.kind);
    request.number = static_cast<int>(seen_.size());
    request.of_kind = static_cast<int>(std::ranges::count(seen_, request.kind));
    hook = hook_;
  }
  const Forward forward = [&] { return upstream_->ask(request); };
  return serialise(hook ? hook(request, forward) : forward(), request.method == "HEAD");
}

}  // namespace certherd::e2e
