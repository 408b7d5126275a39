#include "acme/session.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <optional>
#include <utility>

#include "acme/problem.hpp"
#include "base/log.hpp"
#include "crypto/jws.hpp"

namespace certherd::acme {
namespace {

namespace json = boost::json;
using http::Request;

bool succeeded(const http::Response& response) {
  return response.status >= 200 && response.status < 300;
}

bool is_rsa(KeyType type) {
  return type == KeyType::rsa_2048 || type == KeyType::rsa_3072 || type == KeyType::rsa_4096;
}

Request make_request(Request::Method method, std::string url) {
  Request request;
  request.method = method;
  request.url = std::move(url);
  // RFC 8555 section 6.1: so that the server can choose the language of its error texts.
  request.headers.emplace_back("Accept-Language", "en");
  return request;
}

}  // namespace

Session::Session(http::Client& http, runtime::EventLoop& loop, runtime::Offload& offload,
                 crypto::PrivateKey key, Duration timeout, std::size_t requests_at_once)
    : http_(http),
      clock_(loop.clock()),
      offload_(offload),
      slots_(loop, requests_at_once),
      key_(std::move(key)),
      timeout_(timeout) {}

Task<Result<http::Response>> Session::get(std::string url) {
  auto op = fmt::format("GET {}", url);
  auto request = make_request(Request::Method::get, std::move(url));
  const auto slot = co_await slots_.take();
  auto response = co_await http_.send(std::move(request), clock_.now() + timeout_);
  if (!response) co_return fail(std::move(response.error()));
  if (!succeeded(*response)) co_return fail(to_error(std::move(op), *response, clock_.now()));
  co_return std::move(*response);
}

Task<Result<http::Response>> Session::post(Post post) {
  const auto op = fmt::format("POST {}", post.url);
  if (!post.key && account_.empty()) {
    co_return fail(Error::Kind::misconfigured, op,
                   "there is no account at this CA yet: certherd account register");
  }
  const auto slot = co_await slots_.take();
  const Time deadline = clock_.now() + timeout_;
  std::optional<std::string> nonce = nonces_.take();
  Error refused;
  for (int attempt = 0; attempt < most_bad_nonces; ++attempt) {
    if (!nonce) {
      auto fresh = co_await fresh_nonce(deadline);
      if (!fresh) co_return fail(std::move(fresh.error()));
      nonce = std::move(*fresh);
    }
    auto body = co_await sign(post, *nonce);
    if (!body) co_return fail(std::move(body.error()).during(op));

    auto request = make_request(Request::Method::post, post.url);
    request.headers.emplace_back("Content-Type", "application/jose+json");
    request.headers.emplace_back("Accept", post.accept);
    request.body = std::move(*body);
    auto response = co_await http_.send(std::move(request), deadline);
    // Whether the nonce was spent is not known then, so it is forgotten.
    if (!response) co_return fail(std::move(response.error()));
    log::debug("acme: {}: {}", op, response->status);

    nonce = nonce_of(*response);
    if (!succeeded(*response)) {
      refused = to_error(op, *response, clock_.now());
      // RFC 8555 section 6.5: the very answer that refuses a nonce brings the one to try next.
      if (refused.problem && refused.problem->is_acme("badNonce")) continue;
    }
    if (nonce) nonces_.put(std::move(*nonce));
    if (!succeeded(*response)) co_return fail(std::move(refused));
    co_return std::move(*response);
  }
  refused.detail = fmt::format("the CA refused {} nonces one after another", most_bad_nonces);
  co_return fail(std::move(refused));
}

Task<Result<std::string>> Session::fresh_nonce(Time deadline) {
  auto op = fmt::format("HEAD {}", new_nonce_);
  auto request = make_request(Request::Method::head, new_nonce_);
  auto response = co_await http_.send(std::move(request), deadline);
  if (!response) co_return fail(std::move(response.error()));
  if (!succeeded(*response)) co_return fail(to_error(std::move(op), *response, clock_.now()));
  auto nonce = nonce_of(*response);
  if (nonce) co_return std::move(*nonce);
  co_return fail(Error::Kind::rejected, std::move(op), "the CA gave no usable Replay-Nonce");
}

Task<Result<std::string>> Session::sign(crypto::PrivateKey key, std::string protected_header,
                                        std::string payload) {
  auto work = [&key, &protected_header, &payload] {
    return crypto::sign_jws(key, protected_header, payload);
  };
  // Elliptic curves take a tenth of a millisecond, less than going to a thread and back.
  if (!is_rsa(key.type())) co_return work();
  co_return co_await offload_.call(std::move(work));
}

Task<Result<std::string>> Session::sign(const Post& post, const std::string& nonce) {
  const auto& key = post.key ? *post.key : key_;
  json::object header = {{"alg", crypto::jws_algorithm(key)}, {"nonce", nonce}, {"url", post.url}};
  if (post.key) {
    header["jwk"] = json::parse(crypto::jwk(key));
  } else {
    header["kid"] = account_.text();
  }
  return sign(key, json::serialize(header), post.payload);
}

}  // namespace certherd::acme
