#include "fakes/aws_json.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <utility>

#include "sim/aws_signature.hpp"

namespace certherd::fakes {
namespace {

namespace json = boost::json;

constexpr const char* access_key_id = "AKIDEXAMPLE";
constexpr const char* secret_access_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

// AWS General Reference, tag restrictions.
constexpr std::size_t longest_tag_key = 128;
constexpr std::size_t longest_tag_value = 256;
constexpr std::size_t most_tags = 50;
constexpr std::string_view tag_punctuation = " _.:/=+-@";

http::Response respond(int status, std::string body) {
  http::Response response;
  response.status = status;
  response.headers = {{"content-type", "application/x-amz-json-1.1"}};
  response.body = std::move(body);
  return response;
}

const std::string* header(const http::Request& request, std::string_view name) {
  const auto same = [name](const auto& header) {
    return std::ranges::equal(header.first, name, [](char left, char right) {
      return std::tolower(static_cast<unsigned char>(left)) == right;
    });
  };
  const auto found = std::ranges::find_if(request.headers, same);
  return found == request.headers.end() ? nullptr : &found->second;
}

/// Empty when the members are right.
std::string fault_in(const std::set<std::string>& members, const json::object& request) {
  for (const auto& member : members) {
    if (member.starts_with('*') && !request.contains(member.substr(1))) {
      return member.substr(1) + " is missing";
    }
  }
  for (const auto& entry : request) {
    const std::string name(entry.key());
    if (!members.contains(name) && !members.contains("*" + name)) return name + " is not known";
  }
  return {};
}

bool may_be_in_a_tag(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           tag_punctuation.find(c) != std::string_view::npos;
  });
}

}  // namespace

aws::Credentials aws_credentials() {
  aws::Credentials credentials;
  credentials.access_key_id = access_key_id;
  credentials.secret_access_key = Secret<std::string>(secret_access_key);
  return credentials;
}

aws::Settings aws_settings(int attempts) {
  aws::Settings settings;
  settings.environment = {{"AWS_ACCESS_KEY_ID", access_key_id},
                          {"AWS_SECRET_ACCESS_KEY", secret_access_key}};
  settings.profile = "default";
  settings.region = aws_region;
  settings.max_attempts = attempts;
  return settings;
}

http::Response aws_response(const json::object& body) {
  return respond(200, json::serialize(body));
}

http::Response aws_refusal(std::string_view code, std::string_view message, int status) {
  return respond(status, json::serialize(json::object{{"__type", code}, {"Message", message}}));
}

http::Response aws_unexpected(std::string_view what) {
  ADD_FAILURE() << "AWS: " << what;
  return aws_refusal("ValidationException", what);
}

std::string aws_text(const json::object& object, std::string_view name) {
  const auto* const member = object.if_contains(name);
  return member == nullptr ? std::string() : std::string(member->as_string());
}

std::optional<http::Response> read_aws_call(const http::Request& request, std::string_view prefix,
                                            const std::string& signing_name,
                                            const AwsOperations& operations,
                                            const aws::Credentials& credentials, Time now,
                                            AwsCall* call) {
  if (request.method != http::Request::Method::post) return aws_unexpected("not a POST");
  aws::SigningKey key;
  auto refused = sim::refuse_bad_signature(
      request, credentials, {.region = aws_region, .service = signing_name}, now, false, key);
  if (refused) return refused;
  const auto* const type = header(request, "content-type");
  if (type == nullptr || *type != "application/x-amz-json-1.1") {
    return aws_unexpected("the content type is wrong");
  }
  const auto* const target = header(request, "x-amz-target");
  if (target == nullptr || !target->starts_with(prefix)) {
    return aws_unexpected("the target is not " + std::string(prefix));
  }
  call->operation = target->substr(prefix.size());
  const auto known = operations.find(call->operation);
  if (known == operations.end()) return aws_unexpected("the operation " + call->operation);
  call->request = json::parse(request.body).as_object();
  const auto fault = fault_in(known->second, call->request);
  if (!fault.empty()) return aws_unexpected(call->operation + ": " + fault);
  return std::nullopt;
}

bool is_for_sts(const http::Request& request) { return header(request, "x-amz-target") == nullptr; }

http::Response answer_caller_identity(const http::Request& request,
                                      const aws::Credentials& credentials, Time now, bool hidden) {
  aws::SigningKey key;
  const auto refused = sim::refuse_bad_signature(
      request, credentials, {.region = aws_region, .service = "sts"}, now, true, key);
  if (refused) return *refused;
  if (request.body.find("Action=GetCallerIdentity") == std::string::npos) {
    return aws_unexpected("neither the service nor GetCallerIdentity: " + request.url);
  }
  http::Response response;
  response.status = 200;
  response.headers = {{"content-type", "text/xml"}};
  if (hidden) {
    response.status = 403;
    response.body = R"(<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error>)"
                    "<Type>Sender</Type><Code>AccessDenied</Code><Message>not you</Message></Error>"
                    "<RequestId>1</RequestId></ErrorResponse>";
    return response;
  }
  response.body = fmt::format(
      R"(<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">)"
      "<GetCallerIdentityResult><Arn>arn:aws:iam::{0}:user/certherd</Arn><UserId>AIDAEXAMPLE"
      "</UserId><Account>{0}</Account></GetCallerIdentityResult>"
      "<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></GetCallerIdentityResponse>",
      aws_account);
  return response;
}

std::string fault_in_aws_tags(const json::array& tags) {
  if (tags.size() > most_tags) return "too many tags";
  for (const auto& tag : tags) {
    const auto key = aws_text(tag.as_object(), "Key");
    const auto value = aws_text(tag.as_object(), "Value");
    if (key.empty() || key.size() > longest_tag_key || !may_be_in_a_tag(key)) {
      return "no tag key: " + key;
    }
    if (value.size() > longest_tag_value || !may_be_in_a_tag(value)) {
      return "no tag value: " + value;
    }
  }
  return {};
}

}  // namespace certherd::fakes
