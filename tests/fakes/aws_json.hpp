#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "aws/credentials.hpp"
#include "aws/settings.hpp"
#include "http/client.hpp"

namespace certherd::fakes {

// What scripted services of AWS share that speak JSON 1.1.

inline constexpr const char* aws_account = "123456789012";
inline constexpr const char* aws_region = "eu-west-1";

/// Keys that they take, and settings with these and no others.
aws::Credentials aws_credentials();
/// `attempts`: how often a call is tried.
aws::Settings aws_settings(int attempts);

/// What happens to one call. The answer stands in the place of its own.
struct AwsFault {
  bool after_its_work = false;
  /// Nothing: no answer comes.
  std::optional<http::Response> answer;
};

http::Response aws_response(const boost::json::object& body);
http::Response aws_refusal(std::string_view code, std::string_view message, int status = 400);
/// What no caller of ours may do: fails the test.
http::Response aws_unexpected(std::string_view what);

/// A text of a request; empty when it is not there.
std::string aws_text(const boost::json::object& object, std::string_view name);

/// The members that an operation may have, by its name; those with a '*' it must have.
using AwsOperations = std::map<std::string, std::set<std::string>, std::less<>>;

/// One request, with the right signature and form.
struct AwsCall {
  std::string operation;
  boost::json::object request;
};

/// Reads a request for the service with that target prefix and signing name, or gives what it is
/// answered instead.
std::optional<http::Response> read_aws_call(const http::Request& request, std::string_view prefix,
                                            const std::string& signing_name,
                                            const AwsOperations& operations,
                                            const aws::Credentials& credentials, Time now,
                                            AwsCall* call);

/// Whether the request names no target, as those to STS.
bool is_for_sts(const http::Request& request);

/// STS GetCallerIdentity; `hidden`: refuses to say whose account it is.
http::Response answer_caller_identity(const http::Request& request,
                                      const aws::Credentials& credentials, Time now, bool hidden);

/// What is wrong with a list of tags; empty: nothing.
std::string fault_in_aws_tags(const boost::json::array& tags);

}  // namespace certherd::fakes
