#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/credentials.hpp"
#include "fakes/aws_json.hpp"
#include "http/client.hpp"

namespace certherd::fakes {

/// AWS Secrets Manager of one account and region, with its rules about names, tokens, versions and
/// labels, and STS for GetCallerIdentity. It holds every request against its signature, and what it
/// does not know, or what a caller of the real service must not do, fails the test. Works as a
/// client on any clock; answer() alone also serves behind a server, on any thread.
class ScriptedSecretsManager final : public http::Client {
 public:
  static constexpr const char* region = aws_region;
  static constexpr const char* account = aws_account;

  struct Version {
    std::string value;
    std::set<std::string> stages;
  };
  struct Secret {
    std::string arn;
    std::string kms_key_id;
    std::map<std::string, std::string> tags;
    std::map<std::string, Version> versions;
    std::optional<Time> deleted;  ///< when the deletion was asked for

    /// Of the version with this label; empty when there is none.
    std::string holder(const std::string& stage) const;
  };
  struct Call {
    std::string operation;
    std::string secret;  ///< its name
    boost::json::object request;
    Time at;
  };

  using Fault = AwsFault;
  static Fault lost_request() { return {}; }
  static Fault lost_reply() { return {.after_its_work = true, .answer = {}}; }
  static Fault refusal(std::string_view code, std::string_view message = "as the script says",
                       int status = 400);
  static Fault truncated();

  ScriptedSecretsManager(aws::Credentials credentials, std::function<Time()> now);

  /// What is lost is told at once.
  Task<Result<http::Response>> send(http::Request request, Time deadline) override;

  /// Nothing where the script says that no answer comes.
  std::optional<http::Response> answer(const http::Request& request);

  /// Runs before each request that comes by send().
  void set_delay(std::function<Task<void>()> delay) { delay_ = std::move(delay); }

  /// The n-th call of Secrets Manager from now on, the next one being 1, in place of what was said
  /// before.
  void disturb(int nth, Fault fault);
  /// Whether that call has come.
  bool was_disturbed() const { return !disturbance_ && was_disturbed_; }
  /// Runs just before the n-th call from now on is carried out.
  void before(int nth, std::function<void()> action);

  /// Refuses to say whose account it is.
  void hide_account() { hides_account_ = true; }

  /// By name; a test may change them.
  std::map<std::string, Secret>& secrets() { return secrets_; }
  /// One that somebody made by other means.
  Secret& put_by_hand(const std::string& name, const std::string& version_id, std::string value);

  const std::vector<Call>& calls() const { return calls_; }
  /// How often an operation was called.
  int count(std::string_view operation) const;
  /// Those that were refused as more than 50 in a second.
  int throttled() const { return throttled_; }

 private:
  using Reply = http::Response;

  struct Disturbance {
    int at = 0;
    Fault fault;
  };
  struct Interruption {
    int at = 0;
    std::function<void()> action;
  };

  Reply carry_out(const std::string& operation, const boost::json::object& request);
  Reply create(const boost::json::object& request);
  Reply put(const boost::json::object& request);
  Reply update_stage(const boost::json::object& request);
  Reply get_value(const boost::json::object& request) const;
  Reply describe(const boost::json::object& request) const;
  Reply tag(const boost::json::object& request);
  Reply restore(const boost::json::object& request);
  bool is_over_quota(std::string_view operation) const;
  std::string new_arn(const std::string& name);

  aws::Credentials credentials_;
  std::function<Time()> now_;
  std::function<Task<void>()> delay_;
  std::mutex mutex_;
  std::map<std::string, Secret> secrets_;
  std::vector<Call> calls_;
  std::optional<Disturbance> disturbance_;
  bool was_disturbed_ = false;
  std::optional<Interruption> interruption_;
  bool hides_account_ = false;
  int throttled_ = 0;
  int arns_ = 0;
};

}  // namespace certherd::fakes
