#include "deploy/fastly/api.hpp"

#include <fmt/format.h>

#include <boost/url/encode.hpp>
#include <boost/url/rfc/unreserved_chars.hpp>
#include <charconv>

#include "base/log.hpp"
#include "deploy/fastly/failure.hpp"
#include "http/method.hpp"

namespace certherd::deploy::fastly {
namespace {

using Method = http::Request::Method;
using runtime::Urgency;

constexpr const char* media_type = "application/vnd.api+json";

// Fastly's API reference, "Pagination": at most so many objects on a page.
constexpr const char* page_size = "100";
// A million keys; a server that never comes to its last page is not followed further.
constexpr int most_pages = 10'000;

// Turns of the hour are close enough to be waited for.
constexpr Duration patience = std::chrono::seconds(10);

// Key, certificate and activation.
constexpr int writes_of_an_installation = 3;

constexpr int too_many_requests = 429;

std::string encoded(std::string_view text) {
  return boost::urls::encode(text, boost::urls::unreserved_chars);
}

std::optional<double> budget_left(const http::Response& response) {
  const auto text = response.header("fastly-ratelimit-remaining");
  if (!text) return std::nullopt;
  int left = 0;
  const auto [end, failure] = std::from_chars(text->data(), text->data() + text->size(), left);
  if (failure != std::errc{} || end != text->data() + text->size() || left < 0) return std::nullopt;
  return left;
}

}  // namespace

Api::Api(runtime::EventLoop& loop, http::Client& client, runtime::Budget& budget,
         ApiOptions options)
    : loop_(loop),
      client_(client),
      budget_(budget),
      options_(std::move(options)),
      writes_(loop, budget, options_.allowance, patience) {}

Task<Result<std::vector<Key>>> Api::keys() { return list<Key>("/tls/private_keys", {}); }

Task<Result<std::vector<Key>>> Api::unused_keys() {
  return list<Key>("/tls/private_keys", {{"filter[in_use]", "false"}});
}

Task<Result<Key>> Api::add_key(Secret<std::string> pem, std::string name) {
  return write<Key>({.path = "/tls/private_keys",
                     .document = key_document(pem, name),
                     .urgency = Urgency::begin,
                     .needs = writes_of_an_installation});
}

Task<Status> Api::remove_key(std::string id) { return remove("/tls/private_keys/" + id); }

Task<Result<std::vector<Certificate>>> Api::certificates_with(std::string domain) {
  return list<Certificate>("/tls/certificates", {{"filter[tls_domains.id]", std::move(domain)},
                                                 {"include", "tls_activations"}});
}

Task<Result<Certificate>> Api::add_certificate(std::string blob, std::string name) {
  return write<Certificate>({.path = "/tls/certificates",
                             .document = Secret<std::string>(certificate_document({}, blob, name)),
                             .needs = writes_of_an_installation - 1});
}

Task<Result<Certificate>> Api::replace_certificate(std::string id, std::string blob,
                                                   std::string name) {
  return write<Certificate>(
      {.method = Method::patch,
       .path = "/tls/certificates/" + id,
       .document = Secret<std::string>(certificate_document(id, blob, name))});
}

Task<Status> Api::remove_certificate(std::string id) { return remove("/tls/certificates/" + id); }

Task<Result<std::vector<Activation>>> Api::activations_of(std::string domain) {
  return list<Activation>("/tls/activations", {{"filter[tls_domain.id]", std::move(domain)}});
}

Task<Result<Activation>> Api::activate(std::string domain, std::string certificate,
                                       std::string configuration) {
  Activation wanted;
  wanted.domain = std::move(domain);
  return write<Activation>(
      {.path = "/tls/activations",
       .document = Secret<std::string>(activation_document(wanted, certificate, configuration))});
}

Task<Result<Activation>> Api::move(Activation activation, std::string certificate) {
  return write<Activation>(
      {.method = Method::patch,
       .path = "/tls/activations/" + activation.id,
       .document = Secret<std::string>(activation_document(activation, certificate, {}))});
}

Task<Status> Api::remove_activation(std::string id) { return remove("/tls/activations/" + id); }

Task<Result<std::vector<BulkCertificate>>> Api::bulk_certificates_with(std::string domain) {
  Parameters parameters = {{"filter[tls_domains.id][match]", domain}};
  auto matching = co_await list<BulkCertificate>("/tls/bulk/certificates", std::move(parameters));
  if (!matching) co_return matching;
  // The filter takes what only contains it.
  std::erase_if(*matching, [&domain](const auto& each) { return !each.domains.contains(domain); });
  co_return matching;
}

Task<Result<BulkCertificate>> Api::add_bulk(std::string leaf, std::string intermediates,
                                            std::string configuration) {
  return write<BulkCertificate>(
      {.path = "/tls/bulk/certificates",
       .document = Secret<std::string>(bulk_document({}, leaf, intermediates, configuration))});
}

Task<Result<BulkCertificate>> Api::replace_bulk(std::string id, std::string leaf,
                                                std::string intermediates) {
  return write<BulkCertificate>(
      {.method = Method::patch,
       .path = "/tls/bulk/certificates/" + id,
       .document = Secret<std::string>(bulk_document(id, leaf, intermediates, {}))});
}

Task<Status> Api::remove_bulk(std::string id) { return remove("/tls/bulk/certificates/" + id); }

Task<Result<std::vector<Configuration>>> Api::configurations() {
  return list<Configuration>("/tls/configurations", {});
}

template <typename T>
Task<Result<std::vector<T>>> Api::list(std::string path, Parameters parameters) {
  std::vector<T> all;
  for (int number = 1; number <= most_pages; ++number) {
    std::string target = path + "?";
    for (const auto& [name, value] : parameters)
      target += encoded(name) + "=" + encoded(value) + "&";
    target += fmt::format("{}={}&{}={}", encoded("page[number]"), number, encoded("page[size]"),
                          page_size);
    auto response = co_await send(Method::get, std::move(target), Secret<std::string>());
    if (!response) co_return fail(std::move(response.error()));
    auto page = read_page<T>(response->body);
    if (!page) co_return fail(std::move(page.error()).during("GET " + path));
    all.insert(all.end(), std::make_move_iterator(page->objects.begin()),
               std::make_move_iterator(page->objects.end()));
    if (page->last || page->objects.empty()) co_return all;
  }
  co_return fail(Error::Kind::transient, "GET " + path, "the list has no end");
}

template <typename T>
Task<Result<T>> Api::write(Write write) {
  const auto op = fmt::format("{} {}", to_string(write.method), write.path);
  auto response = co_await send_write(std::move(write));
  if (!response) co_return fail(std::move(response.error()));
  auto object = read_object<T>(response->body);
  if (!object) co_return fail(std::move(object.error()).during(op));
  co_return object;
}

Task<Status> Api::remove(std::string path) {
  Write removal{.method = Method::delete_,
                .path = std::move(path),
                .document = Secret<std::string>(),
                .urgency = Urgency::tidy};
  auto response = co_await send_write(std::move(removal));
  if (response || response.error().kind == Error::Kind::not_found) co_return Status();
  co_return fail(std::move(response.error()));
}

Task<Result<http::Response>> Api::send_write(Write write) {
  auto turn = co_await writes_.pass(write.urgency, write.needs);
  if (!turn) {
    co_return fail(
        std::move(turn.error()).during(fmt::format("{} {}", to_string(write.method), write.path)));
  }
  const Time hour = now() - now().time_since_epoch() % options_.allowance.window;
  if (std::exchange(hour_, hour) != hour) left_ = options_.allowance.burst;
  left_ -= 1;
  co_return co_await send(write.method, std::move(write.path), std::move(write.document));
}

Task<Result<http::Response>> Api::send(Method method, std::string target,
                                       Secret<std::string> document) {
  const auto op = fmt::format("{} {}", to_string(method), target.substr(0, target.find('?')));
  http::Request request;
  request.method = method;
  request.url = options_.endpoint + target;
  request.headers = {{"Fastly-Key", options_.token.reveal()}, {"Accept", media_type}};
  if (!document.reveal().empty()) request.headers.emplace_back("Content-Type", media_type);
  request.body = document.reveal();
  auto response = co_await client_.send(std::move(request), now() + options_.timeout);
  if (!response) {
    // Such as a certificate of the API that is not trusted: it says nothing about what we sent.
    auto error = std::move(response.error()).during(op);
    if (error.kind == Error::Kind::rejected) error.kind = Error::Kind::denied;
    co_return fail(std::move(error));
  }
  if (method != Method::get) {
    // The write is done whether or not this can be kept.
    auto noted = co_await note_budget(*response);
    if (!noted) log::warning("{}: {}", op, noted.error().message());
  }
  constexpr int multiple_choices = 300;
  constexpr int ok = 200;
  if (response->status >= ok && response->status < multiple_choices) co_return response;
  co_return fail(read_failure(op, *response, options_.token, options_.token_source, now()));
}

Task<Status> Api::note_budget(http::Response response) {
  const auto until = budget_reset(response, now());
  if (!until) co_return Status();
  const auto left = response.status == too_many_requests ? 0 : budget_left(response);
  // Our own writes are counted already, those under way too.
  if (!left || *left >= left_) co_return Status();
  left_ = *left;
  co_return co_await budget_.settle(options_.allowance, *left, *until);
}

}  // namespace certherd::deploy::fastly
