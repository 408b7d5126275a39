#include "deploy/kubernetes/api.hpp"

#include <fmt/format.h>

#include <utility>

namespace certherd::deploy::kubernetes {
namespace {

using Method = http::Request::Method;

tl::unexpected<Failure> failed(Error error) {
  return tl::unexpected(Failure{.error = std::move(error), .look_again = false});
}

/// The answer of a success that does not say what it must.
tl::unexpected<Failure> cut_off(const Called& called) {
  return failed(
      fail(Error::Kind::transient, called.op, "the answer is cut off, or is not that of Kubernetes")
          .value());
}

bool is_success(const http::Response& response) {
  return response.status >= 200 && response.status < 300;
}

}  // namespace

Api::Api(runtime::EventLoop& loop, Connect connect, std::unique_ptr<CredentialSource> source,
         ApiOptions options)
    : loop_(loop),
      connect_(std::move(connect)),
      options_(std::move(options)),
      credentials_(loop, std::move(source)) {}

std::string Api::url_of(std::string_view name) const {
  return fmt::format("{}/api/v1/namespaces/{}/secrets/{}", options_.server, options_.namespace_,
                     name);
}

Called Api::called(std::string_view method, std::string_view verb, std::string_view name) const {
  return {.op = fmt::format("{} Secret {}/{}", method, options_.namespace_, name),
          .on_denied = role_to_add(verb, options_.namespace_),
          .namespace_ = options_.namespace_};
}

Task<Answer<std::optional<StoredSecret>>> Api::get(std::string name) {
  const auto about = called("GET", "get", name);
  http::Request request;
  request.url = url_of(name);
  auto response = co_await call(std::move(request), about);
  if (!response) {
    if (response.error().error.kind == Error::Kind::not_found) {
      co_return std::optional<StoredSecret>();
    }
    co_return tl::unexpected(std::move(response.error()));
  }
  const Secret<std::string> body(std::move(response->body));
  auto secret = read_secret(body.reveal());
  if (!secret) co_return cut_off(about);
  co_return secret;
}

Task<Answer<void>> Api::apply(AppliedSecret secret) {
  const auto about = called("PATCH", "patch", secret.name);
  http::Request request;
  request.method = Method::patch;
  request.url = url_of(secret.name) + "?fieldManager=certherd";
  // Every JSON is YAML (Kubernetes documentation, "Server-Side Apply").
  request.headers.emplace_back("Content-Type", "application/apply-patch+yaml");
  request.body = to_json(secret);
  auto response = co_await call(std::move(request), about);
  if (!response) co_return tl::unexpected(std::move(response.error()));
  const Secret<std::string> body(std::move(response->body));
  if (!read_secret(body.reveal())) co_return cut_off(about);
  co_return Answer<void>();
}

Task<Answer<void>> Api::remove(std::string name, StoredSecret secret) {
  http::Request request;
  request.method = Method::delete_;
  request.url = url_of(name);
  request.headers.emplace_back("Content-Type", "application/json");
  request.body = deletion_of(secret);
  auto response = co_await call(std::move(request), called("DELETE", "delete", name));
  if (!response && response.error().error.kind != Error::Kind::not_found) {
    co_return tl::unexpected(std::move(response.error()));
  }
  co_return Answer<void>();
}

Task<Answer<void>> Api::check_right(std::string verb) {
  const Called about{.op = fmt::format("ask for the right to {} Secrets", verb),
                     .on_denied = "bind certherd's account to the ClusterRole system:basic-user",
                     .namespace_ = options_.namespace_};
  http::Request request;
  request.method = Method::post;
  request.url = options_.server + "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
  request.headers.emplace_back("Content-Type", "application/json");
  request.body = access_review(verb, options_.namespace_);
  auto response = co_await call(std::move(request), about);
  if (!response) co_return tl::unexpected(std::move(response.error()));
  const auto access = read_access(response->body);
  if (!access) co_return cut_off(about);
  if (access->allowed) co_return Answer<void>();
  co_return failed(fail(Error::Kind::denied, about.op,
                        fmt::format("{}{}", role_to_add(verb, options_.namespace_),
                                    access->reason.empty() ? "" : " (" + access->reason + ")"))
                       .value());
}

Task<Answer<http::Response>> Api::call(http::Request request, Called about) {
  request.headers.emplace_back("Accept", "application/json");
  auto credential = co_await credentials_.get();
  if (!credential) co_return failed(std::move(credential.error()).during(about.op));
  auto response = co_await send(request, *credential);
  if (response && response->status == 401) {
    credentials_.drop(*credential);
    auto next = co_await credentials_.get();
    if (!next) co_return failed(std::move(next.error()).during(about.op));
    if (!same(*next, *credential)) response = co_await send(request, std::move(*next));
  }
  if (!response) {
    // Such as TLS that is not trusted: the next certificate would fare the same.
    if (response.error().kind == Error::Kind::rejected) {
      response.error().kind = Error::Kind::misconfigured;
    }
    co_return failed(std::move(response.error()).during(about.op));
  }
  if (is_success(*response)) co_return std::move(*response);
  co_return tl::unexpected(explained(*response, about, loop_.clock().now()));
}

Task<Result<http::Response>> Api::send(http::Request request, Credential credential) {
  if (!client_ || certificate_of_client_ != credential.certificate_pem) {
    client_ = connect_(credential);
    certificate_of_client_ = credential.certificate_pem;
  }
  if (!credential.token.empty()) {
    request.headers.emplace_back("Authorization", "Bearer " + credential.token.reveal());
  }
  const auto client = client_;
  co_return co_await client->send(std::move(request), loop_.clock().now() + options_.timeout);
}

}  // namespace certherd::deploy::kubernetes
