#pragma once

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "crypto/encoding.hpp"
#include "http/client.hpp"

namespace certherd::acme {

/// Plays a server by a script: each request must be the next expected one, and at the end all
/// must have come.
class ScriptedHttp final : public http::Client {
 public:
  using Method = http::Request::Method;

  ScriptedHttp() = default;
  ScriptedHttp(const ScriptedHttp&) = delete;
  ScriptedHttp& operator=(const ScriptedHttp&) = delete;
  ~ScriptedHttp() override {
    for (const auto& step : steps_) ADD_FAILURE() << "never asked for: " << step.url;
  }

  void expect(Method method, std::string url, Result<http::Response> answer) {
    steps_.push_back({method, std::move(url), std::move(answer)});
  }

  Task<Result<http::Response>> send(http::Request request, Time) override {
    requests_.push_back(request);
    if (steps_.empty() || steps_.front().method != request.method ||
        steps_.front().url != request.url) {
      ADD_FAILURE() << "unexpected request to " << request.url;
      co_return fail(Error::Kind::rejected, "script", "unexpected request to " + request.url);
    }
    auto answer = std::move(steps_.front().answer);
    steps_.pop_front();
    co_return answer;
  }

  const std::vector<http::Request>& requests() const { return requests_; }
  const http::Request& last() const { return requests_.back(); }

 private:
  struct Step {
    Method method;
    std::string url;
    Result<http::Response> answer;
  };
  std::deque<Step> steps_;
  std::vector<http::Request> requests_;
};

inline http::Response answer(int status, std::string_view content_type, std::string body,
                             http::Headers more = {}) {
  http::Response response;
  response.status = status;
  response.headers = std::move(more);
  if (!content_type.empty()) response.headers.emplace_back("content-type", content_type);
  response.body = std::move(body);
  return response;
}

inline http::Response json_answer(int status, std::string body, http::Headers more = {}) {
  return answer(status, "application/json", std::move(body), std::move(more));
}

inline http::Response problem_answer(int status, std::string_view type, std::string_view detail,
                                     http::Headers more = {}) {
  auto body = boost::json::serialize(boost::json::object{
      {"type", "urn:ietf:params:acme:error:" + std::string(type)}, {"detail", detail}});
  return answer(status, "application/problem+json", std::move(body), std::move(more));
}

inline boost::json::object object(std::string_view text) {
  return boost::json::parse(text).as_object();
}

/// The protected header of a request's JWS.
inline boost::json::object header_of(const http::Request& request) {
  const auto jws = object(request.body);
  return object(*crypto::from_base64url(jws.at("protected").as_string()));
}

/// The payload of a request's JWS.
inline std::string payload_of(const http::Request& request) {
  const auto jws = object(request.body);
  return *crypto::from_base64url(jws.at("payload").as_string());
}

}  // namespace certherd::acme
