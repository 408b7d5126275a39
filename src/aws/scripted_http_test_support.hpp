#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <deque>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "aws/session.hpp"
#include "aws/settings.hpp"
#include "http/client.hpp"
#include "runtime/virtual_loop.hpp"

namespace certherd::aws {

/// Plays the services by a script: each request must be the next expected one, and at the end all
/// must have come. Takes as long for an answer as the script says.
class ScriptedHttp final : public http::Client {
 public:
  using Method = http::Request::Method;

  explicit ScriptedHttp(runtime::Clock& clock) : clock_(clock) {}
  ScriptedHttp(const ScriptedHttp&) = delete;
  ScriptedHttp& operator=(const ScriptedHttp&) = delete;
  ~ScriptedHttp() override {
    for (const auto& step : steps_) ADD_FAILURE() << "never asked for: " << step.url;
  }

  void expect(Method method, std::string url, Result<http::Response> answer, Duration takes = {}) {
    steps_.push_back({method, std::move(url), std::move(answer), takes});
  }

  Task<Result<http::Response>> send(http::Request request, Time deadline) override {
    requests_.push_back(request);
    times_.push_back(clock_.now());
    time_limits_.push_back(deadline - clock_.now());
    if (steps_.empty() || steps_.front().method != request.method ||
        steps_.front().url != request.url) {
      ADD_FAILURE() << "unexpected request to " << request.url << "\n" << request.body;
      co_return fail(Error::Kind::rejected, "script", "unexpected request to " + request.url);
    }
    auto step = std::move(steps_.front());
    steps_.pop_front();
    if (step.takes > Duration(0)) co_await clock_.sleep_for(step.takes);
    co_return std::move(step.answer);
  }

  const std::vector<http::Request>& requests() const { return requests_; }
  const http::Request& last() const { return requests_.back(); }
  const std::vector<Time>& times() const { return times_; }
  Duration last_time_limit() const { return time_limits_.back(); }

 private:
  struct Step {
    Method method;
    std::string url;
    Result<http::Response> answer;
    Duration takes;
  };
  runtime::Clock& clock_;
  std::deque<Step> steps_;
  std::vector<http::Request> requests_;
  std::vector<Time> times_;
  std::vector<Duration> time_limits_;
};

inline http::Response answer(int status, std::string body = "", http::Headers headers = {}) {
  http::Response response;
  response.status = status;
  response.headers = std::move(headers);
  response.body = std::move(body);
  return response;
}

inline http::Response xml_error(int status, const std::string& code, const std::string& message,
                                http::Headers headers = {}) {
  return answer(status,
                "<?xml version=\"1.0\"?>\n<ErrorResponse xmlns=\"https://aws.example/\"><Error>"
                "<Type>Sender</Type><Code>" +
                    code + "</Code><Message>" + message +
                    "</Message></Error><RequestId>1</RequestId></ErrorResponse>",
                std::move(headers));
}

/// A header of a request by its name as it was sent; empty when there is none.
inline std::string header_of(const http::Request& request, std::string_view name) {
  for (const auto& [own, value] : request.headers) {
    if (own == name) return value;
  }
  return {};
}

/// AWS on the virtual clock, with an environment and a home of its own.
class ScriptedAws : public testing::Test {
 protected:
  using Method = http::Request::Method;
  using Kind = Error::Kind;

  ScriptedAws() {
    std::string name = testing::TempDir() + "awsXXXXXX";
    home = mkdtemp(name.data());
    environment["HOME"] = home;
    environment["AWS_EC2_METADATA_DISABLED"] = "true";
  }
  ~ScriptedAws() override { std::filesystem::remove_all(home); }

  template <typename T>
  T run(Task<T> task) {
    return loop->run(std::move(task));
  }

  std::string write(const std::string& name, const std::string& content) const {
    const auto path = home / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << content;
    return path;
  }
  void write_config(const std::string& content) const { write(".aws/config", content); }
  void write_credentials(const std::string& content) const { write(".aws/credentials", content); }

  void set_keys(const std::string& id = "AKIDENV", const std::string& token = "") {
    environment["AWS_ACCESS_KEY_ID"] = id;
    environment["AWS_SECRET_ACCESS_KEY"] = "secret of " + id;
    environment["AWS_SESSION_TOKEN"] = token;
  }

  Result<Settings> load(const SectionOptions& options = {}, Service own = Service::route53) const {
    return load_settings(environment, options, own);
  }

  Session& session(const SectionOptions& options = {}) {
    if (!session_) {
      session_ = std::make_unique<Session>(*loop, *offload, random, http, load(options).value());
    }
    return *session_;
  }

  Result<Credentials> credentials(const SectionOptions& options = {}) {
    return run(session(options).credentials());
  }

  void pass(Duration duration) { loop->run(loop->clock().sleep_for(duration)); }

  std::filesystem::path home;
  Environment environment;
  std::unique_ptr<runtime::EventLoop> loop =
      runtime::make_virtual_loop(*parse_time("2026-11-23T12:00:00Z"));
  std::unique_ptr<runtime::Offload> offload = runtime::make_inline_offload();
  runtime::SeededRandom random{1};
  ScriptedHttp http{loop->clock()};

 private:
  std::unique_ptr<Session> session_;
};

}  // namespace certherd::aws
