#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "aws/failure.hpp"
#include "aws/session.hpp"
#include "aws/sigv4.hpp"
#include "http/client.hpp"
#include "runtime/task.hpp"

namespace certherd::aws {

/// One call of a service's API.
struct Call {
  std::string operation;  ///< for messages: "GetChange"
  http::Request::Method method = http::Request::Method::post;
  std::string path = "/";  ///< percent-encoded, from the endpoint on
  std::vector<std::pair<std::string, std::string>> query;  ///< plain; encoded and sorted here
  http::Headers headers;
  std::string body;
  /// Asked before each attempt, when set: where a budget is drawn on. Its error ends the call.
  std::function<Task<Status>()> admit;
  /// Whether this code is for the caller to wait for, and not to be retried in here.
  std::function<bool(const Failure&)> leave;
};

/// Calls one service, signed, without redirects, with the retries of the SDKs' standard mode: at
/// most `max_attempts`, jittered back-off rand(0,1) * min(2^(n-1), 20 s), a quota of 500 tokens of
/// which a retry costs 5 (10 after a timeout) and a success gives back; a clock that is wrong is
/// corrected by the reply's Date, and refused temporary credentials are fetched anew, each once.
/// An attempt takes at most the settings' `timeout`. Used on the loop; the session outlives it.
class Client {
 public:
  struct Options {
    Service service;
  };
  Client(Session& session, Options options) : session_(session), options_(options) {}

  /// The response when its status is 2xx, else why not.
  Task<Reply> send(Call call);

  Session& session() { return session_; }

 private:
  class Exchange;

  Session& session_;
  Options options_;
  int retry_quota_ = 500;
  SigningKey signing_key_;
};

}  // namespace certherd::aws
