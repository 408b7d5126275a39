#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/credentials.hpp"
#include "fakes/aws_json.hpp"
#include "http/client.hpp"
#include "model/material.hpp"

namespace certherd::fakes {

/// AWS Certificate Manager of one account and region, with its rules about imports, and STS for
/// GetCallerIdentity. It holds every request against its signature, and what it does not know, or
/// what a caller of the real service must not do, fails the test. Works as a client on any clock.
class ScriptedAcm final : public http::Client {
 public:
  struct Certificate {
    std::string leaf;   ///< PEM
    std::string chain;  ///< PEM, without the leaf
    std::map<std::string, std::string> tags = {};
    std::vector<std::string> in_use_by = {};
    std::string type = "IMPORTED";
    int imports = 1;
    Time listed_from{};
  };
  struct Call {
    std::string operation;
    boost::json::object request;
    Time at;
  };
  using Fault = AwsFault;
  static Fault lost_request() { return {}; }
  static Fault lost_reply() { return {.after_its_work = true, .answer = {}}; }
  static Fault refusal(std::string_view code, std::string_view message = "as the script says",
                       int status = 400);
  static Fault truncated();

  ScriptedAcm(aws::Credentials credentials, std::function<Time()> now);

  /// What is lost is told at once.
  Task<Result<http::Response>> send(http::Request request, Time deadline) override;

  /// Runs before each request.
  void set_delay(std::function<Task<void>()> delay) { delay_ = std::move(delay); }

  /// The n-th call of Certificate Manager from now on, the next one being 1, in place of what was
  /// said before.
  void disturb(int nth, Fault fault);
  /// Whether that call has come.
  bool was_disturbed() const { return !disturbance_ && was_disturbed_; }
  /// Runs just before the n-th call from now on is carried out.
  void before(int nth, std::function<void()> action);

  /// How long after its import a certificate is missing in lists.
  void set_list_lag(Duration lag) { list_lag_ = lag; }
  /// What a page of a list holds at most, whatever is asked for.
  void set_page_size(std::size_t size) { page_size_ = size; }

  /// By ARN; a test may change them.
  std::map<std::string, Certificate>& certificates() { return certificates_; }
  /// One that somebody made by other means; gives its ARN.
  std::string put_by_hand(const Material& material, std::map<std::string, std::string> tags);

  const std::vector<Call>& calls() const { return calls_; }
  /// How often an operation was called.
  int count(std::string_view operation) const;
  /// Imports and deletions.
  int writes() const { return count("ImportCertificate") + count("DeleteCertificate"); }
  /// Those that were refused as too many in a second.
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

  std::optional<Reply> answer(const http::Request& request);
  Reply carry_out(const std::string& operation, const boost::json::object& request);
  Reply import(const boost::json::object& request);
  Reply list(const boost::json::object& request) const;
  Reply describe(const std::string& arn) const;
  Reply get(const std::string& arn) const;
  Reply list_tags(const std::string& arn) const;
  Reply remove(const std::string& arn);
  bool is_over_quota(std::string_view operation) const;
  std::string new_arn();

  aws::Credentials credentials_;
  std::function<Time()> now_;
  std::function<Task<void>()> delay_;
  std::map<std::string, Certificate> certificates_;
  std::vector<Call> calls_;
  std::optional<Disturbance> disturbance_;
  bool was_disturbed_ = false;
  std::optional<Interruption> interruption_;
  Duration list_lag_{};
  std::size_t page_size_ = 1000;
  int throttled_ = 0;
  int arns_ = 0;
};

}  // namespace certherd::fakes
