#include "fakes/scripted_fastly.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>

#include "fakes/fastly_documents.hpp"
#include "fakes/fastly_listing.hpp"

namespace certherd::fakes {
namespace {

namespace json = boost::json;
using fastly::Asked;
using fastly::Kind;
using Method = http::Request::Method;

/// What no caller of ours may do.
http::Response unexpected(const http::Request& request, std::string_view what) {
  const auto call =
      fmt::format("{} {}", fastly::name_of(request.method), fastly::target_of(request));
  ADD_FAILURE() << "Fastly: " << call << ": " << what;
  return fastly::refuse({.status = 400, .title = "Bad request", .detail = std::string(what)});
}

bool is_write(Method method) { return method != Method::get && method != Method::head; }

template <typename T>
http::Response made(int status, const fastly::Outcome<std::string>& id,
                    const std::map<std::string, T>& all) {
  if (!id) return fastly::refuse(id.error());
  return fastly::respond_with(status, fastly::render(all.at(*id)));
}

bool is_there(const fastly::Account& account, const Asked& asked) {
  switch (asked.kind) {
    case Kind::key:
      return account.keys().contains(asked.id);
    case Kind::certificate:
      return account.certificates().contains(asked.id);
    case Kind::activation:
      return account.activations().contains(asked.id);
    case Kind::bulk_certificate:
      return account.bulk_certificates().contains(asked.id);
    case Kind::domain:
    case Kind::configuration:
      break;  // read only
  }
  return false;
}

http::Response no_content() {
  http::Response response;
  response.status = 204;
  return response;
}

}  // namespace

ScriptedFastly::Fault ScriptedFastly::refusal(int status, std::string body) {
  http::Response response;
  response.status = status;
  response.headers = {{"content-type", "application/vnd.api+json"}};
  response.body = std::move(body);
  return {.after_its_work = false, .answer = std::move(response)};
}

ScriptedFastly::Fault ScriptedFastly::truncated() {
  auto fault = refusal(200, R"({"data":{"id":"3SSWyx5lOSiq)");
  fault.after_its_work = true;
  return fault;
}

ScriptedFastly::ScriptedFastly(std::string token, std::function<Time()> now)
    : now_(std::move(now)), token_(std::move(token)), account_(now_) {
  account_.add_configuration(
      {.id = default_configuration, .name = "TLS v1.3", .bulk = false, .is_default = true});
}

Task<Result<http::Response>> ScriptedFastly::send(http::Request request, Time /*deadline*/) {
  if (delay_) co_await delay_();
  auto response = answer(request);
  if (response) co_return std::move(*response);
  co_return fail(Error::Kind::transient,
                 fmt::format("{} {}", fastly::name_of(request.method), request.url),
                 "the connection broke off");
}

std::optional<http::Response> ScriptedFastly::answer(const http::Request& request) {
  std::function<void()> action;
  const int number = note(request, &action);
  if (action) action();
  return answer(request, number);
}

int ScriptedFastly::note(const http::Request& request, std::function<void()>* action) {
  const std::scoped_lock lock(mutex_);
  calls_.push_back({.method = request.method, .target = fastly::target_of(request), .at = now_()});
  const auto number = static_cast<int>(calls_.size());
  if (interruption_ && interruption_->at == number) {
    *action = std::move(interruption_->action);
    interruption_.reset();
  }
  return number;
}

std::optional<http::Response> ScriptedFastly::answer(const http::Request& request, int number) {
  const std::scoped_lock lock(mutex_);
  std::optional<Fault> fault;
  if (disturbance_ && disturbance_->at == number) {
    fault = std::move(disturbance_->fault);
    disturbance_.reset();
    was_disturbed_ = true;
  }
  const bool arrives = !fault || fault->after_its_work || fault->answer;
  if (!arrives) return std::nullopt;
  const bool counts = is_write(request.method);
  if (counts) ++writes_[hour()];
  std::optional<http::Response> response;
  if (!fault || fault->after_its_work) response = carry_out(request, number);
  if (fault) response = std::move(fault->answer);
  if (response && counts && has_headers_) add_budget_headers(&*response);
  return response;
}

// The write itself has been counted.
http::Response ScriptedFastly::carry_out(const http::Request& request, int number) {
  const auto* const token = fastly::only_header(request, "fastly-key");
  if (token == nullptr || *token != token_ || is_revoked_) {
    return fastly::refuse_plainly(401, "Provided credentials are missing or invalid", "");
  }
  const auto asked = fastly::read_request(request);
  if (!asked) return unexpected(request, asked.error());
  if (asked->is_read()) return fastly::read(account_, *asked);
  if (left() < 0) {
    ++throttled_;
    return fastly::refuse_plainly(429, "You have exceeded your hourly rate limit",
                                  "Wait until the next hour, or ask support for a higher limit.");
  }
  if (forbids_writes_) {
    return fastly::refuse_plainly(403, "You are not authorized to perform this action", "");
  }
  auto response = write(*asked);
  account_.settle(fmt::format("{}: {} {}", number, fastly::name_of(request.method),
                              calls_.at(static_cast<std::size_t>(number) - 1).target));
  return response;
}

http::Response ScriptedFastly::write(const Asked& asked) {
  if (asked.method == Method::post) return create(asked);
  if (!is_there(account_, asked)) return fastly::no_such_record(asked);
  return asked.method == Method::patch ? replace(asked) : remove(asked);
}

http::Response ScriptedFastly::create(const Asked& asked) {
  switch (asked.kind) {
    case Kind::key: {
      const auto id = account_.add_key(asked.attribute("key"), asked.attribute("name"));
      if (!id) return fastly::refuse(id.error());
      auto object = fastly::render(account_.keys().at(*id));
      object.at("attributes").as_object()["created_at"] = nullptr;  // so it was recorded
      return fastly::respond_with(201, std::move(object));
    }
    case Kind::certificate:
      return made(201,
                  account_.add_certificate(asked.attribute("cert_blob"), asked.attribute("name")),
                  account_.certificates());
    case Kind::activation: {
      const auto id =
          account_.add_activation({.id = {},
                                   .certificate = asked.related("tls_certificate"),
                                   .configuration = asked.related("tls_configuration"),
                                   .domain = asked.related("tls_domain"),
                                   .mutual_authentication = asked.related("mutual_authentication"),
                                   .created_at = {}});
      return made(201, id, account_.activations());
    }
    case Kind::bulk_certificate:
      return made(
          201,
          account_.add_bulk(asked.attribute("cert_blob"), asked.attribute("intermediates_blob"),
                            asked.all_related("tls_configurations")),
          account_.bulk_certificates());
    case Kind::domain:
    case Kind::configuration:
      break;  // read only
  }
  return fastly::no_such_record(asked);
}

http::Response ScriptedFastly::replace(const Asked& asked) {
  const auto& id = asked.id;
  if (asked.kind == Kind::certificate) {
    const auto former = account_.certificates().at(id).leaf;
    const auto done =
        account_.replace_certificate(id, asked.attribute("cert_blob"), asked.attribute("name"));
    if (!done) return fastly::refuse(done.error());
    auto shown = account_.certificates().at(id);
    std::erase_if(shown.leaf.names, [&](const auto& name) { return !former.has(name); });
    return fastly::respond_with(200, fastly::render(shown));
  }
  if (asked.kind == Kind::activation) {
    const auto done = account_.move_activation(id, asked.related("tls_certificate"),
                                               asked.related("mutual_authentication"));
    if (!done) return fastly::refuse(done.error());
    return fastly::respond_with(200, fastly::render(account_.activations().at(id)));
  }
  const auto done = account_.replace_bulk(id, asked.attribute("cert_blob"),
                                          asked.attribute("intermediates_blob"));
  if (!done) return fastly::refuse(done.error());
  return fastly::respond_with(200, fastly::render(account_.bulk_certificates().at(id)));
}

http::Response ScriptedFastly::remove(const Asked& asked) {
  fastly::Outcome<void> done;
  if (asked.kind == Kind::key) done = account_.remove_key(asked.id);
  if (asked.kind == Kind::certificate) done = account_.remove_certificate(asked.id);
  if (asked.kind == Kind::activation) account_.remove_activation(asked.id);
  if (asked.kind == Kind::bulk_certificate) account_.remove_bulk(asked.id);
  return done ? no_content() : fastly::refuse(done.error());
}

void ScriptedFastly::add_budget_headers(http::Response* response) const {
  const auto reset = std::chrono::ceil<std::chrono::seconds>(hour() + std::chrono::hours(1));
  response->headers.emplace_back("fastly-ratelimit-remaining", std::to_string(std::max(0, left())));
  response->headers.emplace_back("fastly-ratelimit-reset",
                                 std::to_string(reset.time_since_epoch().count()));
}

Time ScriptedFastly::hour() const { return std::chrono::floor<std::chrono::hours>(now_()); }

/// Below zero: this hour has seen more than it may.
int ScriptedFastly::left() const {
  const auto in_this_hour = [this](const std::map<Time, int>& writes) {
    const auto found = writes.find(hour());
    return found == writes.end() ? 0 : found->second;
  };
  return budget_ - in_this_hour(writes_) - in_this_hour(writes_elsewhere_);
}

}  // namespace certherd::fakes
