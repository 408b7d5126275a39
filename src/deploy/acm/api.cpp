#include "deploy/acm/api.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <string_view>
#include <utility>

#include "crypto/encoding.hpp"
#include "deploy/acm/failure.hpp"

namespace certherd::deploy::acm {
namespace {

namespace json = boost::json;

struct Quota {
  std::string_view operation;
  std::string_view name;
  double per_second;
  double at_once;
};

// ACM user guide, API rate quotas, for an account in a region: ImportCertificate and (in its older
// editions) ListCertificates 1 a second, the others 10. How it counts a second is not said; these
// stay within that in any second.
constexpr std::array quotas = {
    Quota{"ImportCertificate", "acm-imports", 0.9, 1},
    Quota{"ListCertificates", "acm-lists", 0.9, 1},
    Quota{"DescribeCertificate", "acm-descriptions", 8, 2},
    Quota{"ListTagsForCertificate", "acm-tags", 8, 2},
    Quota{"GetCertificate", "acm-reads", 8, 2},
    Quota{"DeleteCertificate", "acm-deletions", 8, 2},
};

// All that there are (AWS API reference, Filters): a list without them has RSA of 1024 and 2048
// bits only.
const json::array& every_key_type() {
  static const json::array types = {"RSA_1024",      "RSA_2048",     "RSA_3072",    "RSA_4096",
                                    "EC_prime256v1", "EC_secp384r1", "EC_secp521r1"};
  return types;
}

/// Of an answer that could not be read: the call may have done its work.
tl::unexpected<aws::Failure> unreadable(const std::string& operation, std::string why) {
  aws::Failure failure;
  failure.error.kind = Error::Kind::transient;
  failure.error.op = operation;
  failure.error.detail = std::move(why);
  return tl::unexpected(std::move(failure));
}

Answer<json::object> object_in(const std::string& operation, const http::Response& response) {
  boost::system::error_code code;
  auto value = json::parse(response.body, code);
  if (!code && value.is_object()) return std::move(value).as_object();
  return unreadable(operation, "the answer is no JSON object, or was cut off");
}

/// Empty when it is absent or no string.
std::string text_in(const json::object& object, std::string_view name) {
  const auto* const member = object.if_contains(name);
  const auto* const text = member == nullptr ? nullptr : member->if_string();
  return text == nullptr ? std::string() : std::string(*text);
}

std::vector<std::string> texts_in(const json::object& object, std::string_view name) {
  std::vector<std::string> texts;
  const auto* const member = object.if_contains(name);
  if (member == nullptr || !member->is_array()) return texts;
  for (const auto& text : member->get_array()) {
    if (text.is_string()) texts.emplace_back(text.get_string());
  }
  return texts;
}

/// The objects in a list; empty when it is absent.
std::vector<json::object> objects_in(const json::object& object, std::string_view name) {
  std::vector<json::object> objects;
  const auto* const member = object.if_contains(name);
  if (member == nullptr || !member->is_array()) return objects;
  for (const auto& each : member->get_array()) {
    if (each.is_object()) objects.push_back(each.get_object());
  }
  return objects;
}

bool is_true(const json::object& object, std::string_view name) {
  const auto* const member = object.if_contains(name);
  return member != nullptr && member->is_bool() && member->get_bool();
}

Summary summary_in(const json::object& object) {
  Summary summary{.arn = text_in(object, "CertificateArn"),
                  .names = texts_in(object, "SubjectAlternativeNameSummaries"),
                  .has_more_names = is_true(object, "HasAdditionalSubjectAlternativeNames"),
                  .imported = text_in(object, "Type") == "IMPORTED"};
  auto first = text_in(object, "DomainName");
  if (!first.empty()) summary.names.push_back(std::move(first));
  return summary;
}

/// "0A:1b" is the same as "0a1b". The sign octet that DER may need before it does not belong to it.
std::string plain_serial(std::string_view text) {
  std::string serial;
  for (const char c : text) {
    if (c != ':') serial.push_back(c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c);
  }
  while (serial.size() > 2 && serial.starts_with("00")) serial.erase(0, 2);
  return serial;
}

/// ACM has written "RSA-2048" for what it calls "RSA_2048" otherwise.
std::string plain_algorithm(std::string text) {
  std::ranges::replace(text, '-', '_');
  return text;
}

json::array tag_list(const Tags& tags) {
  json::array list;
  for (const auto& [key, value] : tags) list.push_back({{"Key", key}, {"Value", value}});
  return list;
}

/// A service may repeat in its message what it was sent; a private key must not get into an error
/// or a log, be it in base64 once more.
bool shows_secret(const aws::Failure& failure) {
  const auto& words = failure.error.detail;
  return words.find("PRIVATE KEY") != std::string::npos ||
         words.find("LS0tLS1CRUdJTi") != std::string::npos;
}

aws::Failure without_secrets(aws::Failure failure) {
  if (!shows_secret(failure)) return failure;
  failure.error.detail =
      failure.code + ": its message repeats what was sent, and is left out for that";
  failure.messages.clear();
  return failure;
}

bool is_absent(const aws::Failure& failure) { return failure.code == "ResourceNotFoundException"; }

std::string naming(const std::string& arn) {
  return json::serialize(json::object{{"CertificateArn", arn}});
}

}  // namespace

Api::Api(aws::Session& session, runtime::Budget& budget)
    : session_(session),
      budget_(budget),
      client_(session, aws::Client::Options{.service = aws::Service::acm}) {}

Task<Answer<Page>> Api::list(std::string token, int most) {
  json::object request = {{"Includes", json::object{{"keyTypes", every_key_type()}}},
                          {"MaxItems", most}};
  if (!token.empty()) request.emplace("NextToken", token);
  auto reply = co_await call("ListCertificates", json::serialize(request));
  if (!reply) co_return tl::unexpected(std::move(reply.error()));
  const auto object = object_in("ListCertificates", *reply);
  if (!object) co_return tl::unexpected(object.error());
  Page page{.certificates = {}, .next = text_in(*object, "NextToken")};
  for (const auto& each : objects_in(*object, "CertificateSummaryList")) {
    page.certificates.push_back(summary_in(each));
    if (page.certificates.back().arn.empty()) {
      co_return unreadable("ListCertificates", "a certificate in the answer has no ARN");
    }
  }
  co_return page;
}

Task<Answer<std::optional<Description>>> Api::describe(std::string arn) {
  auto reply = co_await call("DescribeCertificate", naming(arn));
  if (!reply) {
    if (is_absent(reply.error())) co_return std::optional<Description>();
    co_return tl::unexpected(std::move(reply.error()));
  }
  const auto object = object_in("DescribeCertificate", *reply);
  if (!object) co_return tl::unexpected(object.error());
  const auto* const member = object->if_contains("Certificate");
  const auto detail =
      member == nullptr || !member->is_object() ? json::object() : member->get_object();
  co_return Description{.arn = std::move(arn),
                        .serial = plain_serial(text_in(detail, "Serial")),
                        .key_algorithm = plain_algorithm(text_in(detail, "KeyAlgorithm")),
                        .in_use_by = texts_in(detail, "InUseBy")};
}

Task<Answer<std::optional<Tags>>> Api::tags(std::string arn) {
  auto reply = co_await call("ListTagsForCertificate", naming(arn));
  if (!reply) {
    if (is_absent(reply.error())) co_return std::optional<Tags>();
    co_return tl::unexpected(std::move(reply.error()));
  }
  const auto object = object_in("ListTagsForCertificate", *reply);
  if (!object) co_return tl::unexpected(object.error());
  Tags tags;
  for (const auto& tag : objects_in(*object, "Tags")) {
    tags.emplace(text_in(tag, "Key"), text_in(tag, "Value"));
  }
  co_return tags;
}

Task<Answer<std::optional<std::string>>> Api::leaf(std::string arn) {
  auto reply = co_await call("GetCertificate", naming(arn));
  if (!reply) {
    if (is_absent(reply.error())) co_return std::optional<std::string>();
    co_return tl::unexpected(std::move(reply.error()));
  }
  const auto object = object_in("GetCertificate", *reply);
  if (!object) co_return tl::unexpected(object.error());
  co_return text_in(*object, "Certificate");
}

Task<Answer<std::string>> Api::import(NewCertificate certificate) {
  const bool is_first = certificate.arn.empty();
  auto key = crypto::base64(certificate.key.reveal());
  json::object request = {{"Certificate", crypto::base64(certificate.leaf)}, {"PrivateKey", key}};
  wipe(key);
  if (!certificate.chain.empty()) {
    request.emplace("CertificateChain", crypto::base64(certificate.chain));
  }
  if (!is_first) request.emplace("CertificateArn", certificate.arn);
  if (!certificate.tags.empty()) request.emplace("Tags", tag_list(certificate.tags));
  auto body = json::serialize(request);
  std::ranges::fill(request["PrivateKey"].get_string(), '\0');
  auto reply = co_await call("ImportCertificate", std::move(body), !is_first);
  if (!reply) co_return tl::unexpected(std::move(reply.error()));
  const auto object = object_in("ImportCertificate", *reply);
  if (!object) co_return tl::unexpected(object.error());
  auto arn = text_in(*object, "CertificateArn");
  if (arn.empty()) co_return unreadable("ImportCertificate", "the answer names no ARN");
  co_return arn;
}

Task<Answer<void>> Api::remove(std::string arn) {
  auto reply = co_await call("DeleteCertificate", naming(arn));
  if (!reply && !is_absent(reply.error())) co_return tl::unexpected(std::move(reply.error()));
  co_return Answer<void>();
}

Task<aws::Reply> Api::call(std::string operation, std::string body, bool repeatable) {
  aws::Call call;
  call.headers = {{"Content-Type", "application/x-amz-json-1.1"},
                  {"X-Amz-Target", "CertificateManager." + operation}};
  call.admit = [this, operation] { return pass(operation); };
  // Of other services LimitExceededException means throttling; here it is a quota, that a retry
  // does not raise. And what is tried again is logged.
  call.leave = [repeatable](const aws::Failure& failure) {
    return failure.code == "LimitExceededException" || shows_secret(failure) ||
           (!repeatable && may_have_worked(failure));
  };
  call.operation = std::move(operation);
  call.body = std::move(body);
  auto reply = co_await client_.send(std::move(call));
  if (!reply) co_return tl::unexpected(without_secrets(explained(std::move(reply.error()))));
  co_return reply;
}

Task<Status> Api::pass(std::string operation) {
  if (turnstiles_.empty()) {
    auto account = co_await this->account();
    if (!account) co_return fail(std::move(account.error()));
    auto region = session_.settings().signing_region(aws::Service::acm);
    if (!region) co_return fail(std::move(region.error()));
    // Another call may have made them while this one asked: those stay.
    for (const auto& quota : quotas) {
      runtime::Allowance allowance{.name = fmt::format("{}/{}/{}", quota.name, *account, *region),
                                   .per_second = quota.per_second,
                                   .burst = quota.at_once};
      turnstiles_.try_emplace(std::string(quota.operation), session_.loop(), budget_,
                              std::move(allowance));
    }
  }
  co_return co_await turnstiles_.at(operation).pass(
      operation == "DeleteCertificate" ? runtime::Urgency::tidy : runtime::Urgency::begin);
}

/// Whose quotas they are; by the access key where the account cannot be told.
Task<Result<std::string>> Api::account() {
  auto account = co_await session_.account();
  if (account) co_return account;
  auto credentials = co_await session_.credentials();
  if (!credentials) co_return fail(std::move(credentials.error()));
  co_return credentials->access_key_id;
}

}  // namespace certherd::deploy::acm
