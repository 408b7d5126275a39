#include "vault/secrets_manager/api.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <utility>

#include "vault/secrets_manager/failure.hpp"

namespace certherd::vault::secrets_manager {
namespace {

namespace json = boost::json;

// PutSecretValue, UpdateSecret and UpdateSecretVersionStage together have 50 a second, and so has
// each of the slowest others (Secrets Manager User Guide, quotas; how it counts a second is not
// said). 45 and 5 at once stay within 50 in any second.
constexpr double calls_per_second = 45;
constexpr double calls_at_once = 5;

/// Of an answer that could not be read: the call may have done its work.
aws::Failure unreadable(const std::string& operation, std::string why) {
  aws::Failure failure;
  failure.error.kind = Error::Kind::transient;
  failure.error.op = operation;
  failure.error.detail = std::move(why);
  return failure;
}

Answer<json::object> object_in(const std::string& operation, const http::Response& response) {
  boost::system::error_code code;
  auto value = json::parse(response.body, code);
  if (code || !value.is_object()) {
    return tl::unexpected(unreadable(operation, "the answer is no JSON object, or was cut off"));
  }
  return std::move(value).as_object();
}

/// Empty when it is absent or no string.
std::string text_in(const json::object& object, std::string_view name) {
  const auto* const member = object.if_contains(name);
  const auto* const text = member == nullptr ? nullptr : member->if_string();
  return text == nullptr ? std::string() : std::string(*text);
}

/// Takes the text out of the object, and leaves nothing of it there.
Secret<std::string> take_secret(json::object& object, std::string_view name) {
  auto* const member = object.if_contains(name);
  auto* const text = member == nullptr ? nullptr : member->if_string();
  if (text == nullptr) return {};
  Secret<std::string> secret{std::string(*text)};
  std::ranges::fill(*text, '\0');
  return secret;
}

Stages stages_in(const json::value* list) {
  Stages stages;
  if (list == nullptr || !list->is_array()) return stages;
  for (const auto& stage : list->get_array()) {
    if (stage.is_string()) stages.emplace(stage.get_string());
  }
  return stages;
}

std::map<std::string, Stages> versions_in(const json::object& object) {
  std::map<std::string, Stages> versions;
  const auto* const member = object.if_contains("VersionIdsToStages");
  if (member == nullptr || !member->is_object()) return versions;
  for (const auto& entry : member->get_object()) {
    auto stages = stages_in(&entry.value());
    if (!stages.empty()) versions.emplace(std::string(entry.key()), std::move(stages));
  }
  return versions;
}

Tags tags_in(const json::object& object) {
  Tags tags;
  const auto* const member = object.if_contains("Tags");
  if (member == nullptr || !member->is_array()) return tags;
  for (const auto& tag : member->get_array()) {
    if (!tag.is_object()) continue;
    tags.emplace(text_in(tag.get_object(), "Key"), text_in(tag.get_object(), "Value"));
  }
  return tags;
}

json::array tag_list(const Tags& tags) {
  json::array list;
  for (const auto& [key, value] : tags) list.push_back({{"Key", key}, {"Value", value}});
  return list;
}

/// A service may repeat in its message what it was sent; a private key must not get into an error
/// or a log.
bool shows_secret(const aws::Failure& failure) {
  return failure.error.detail.find("PRIVATE KEY") != std::string::npos;
}

aws::Failure without_secrets(aws::Failure failure) {
  if (!shows_secret(failure)) return failure;
  failure.error.detail =
      failure.code + ": its message repeats what was sent, and is left out for that";
  failure.messages.clear();
  return failure;
}

}  // namespace

std::string Description::holder(const std::string& stage) const {
  const auto found = std::ranges::find_if(
      versions, [&stage](const auto& version) { return version.second.contains(stage); });
  return found == versions.end() ? std::string() : found->first;
}

Api::Api(aws::Session& session, runtime::Budget& budget)
    : session_(session),
      budget_(budget),
      client_(session, aws::Client::Options{.service = aws::Service::secrets_manager}) {}

Task<Answer<std::optional<Description>>> Api::describe(std::string name) {
  auto body = json::serialize(json::object{{"SecretId", name}});
  auto reply = co_await call("DescribeSecret", std::move(body), Kind::read);
  if (!reply) {
    if (reply.error().code == "ResourceNotFoundException") co_return std::optional<Description>();
    co_return tl::unexpected(std::move(reply.error()));
  }
  const auto object = object_in("DescribeSecret", *reply);
  if (!object) co_return tl::unexpected(object.error());
  Description found{
      .arn = text_in(*object, "ARN"), .versions = versions_in(*object), .tags = tags_in(*object)};
  const auto* const deleted = object->if_contains("DeletedDate");
  found.deleted = deleted != nullptr && !deleted->is_null();
  co_return found;
}

Task<Answer<std::string>> Api::create(NewSecret secret) {
  json::object request = {{"Name", secret.name},
                          {"ClientRequestToken", secret.version_id},
                          {"SecretString", secret.value.reveal()},
                          {"Tags", tag_list(secret.tags)}};
  if (!secret.kms_key_id.empty()) request.emplace("KmsKeyId", secret.kms_key_id);
  auto body = json::serialize(request);
  (void)take_secret(request, "SecretString");
  auto reply = co_await call("CreateSecret", std::move(body), Kind::change);
  if (!reply) co_return tl::unexpected(std::move(reply.error()));
  const auto object = object_in("CreateSecret", *reply);
  if (!object) co_return tl::unexpected(object.error());
  co_return text_in(*object, "ARN");
}

Task<Answer<Stages>> Api::put(NewVersion version) {
  json::object request = {{"SecretId", version.name},
                          {"ClientRequestToken", version.version_id},
                          {"SecretString", version.value.reveal()},
                          {"VersionStages", json::array{version.stage}}};
  auto body = json::serialize(request);
  (void)take_secret(request, "SecretString");
  auto reply = co_await call("PutSecretValue", std::move(body), Kind::write);
  if (!reply) co_return tl::unexpected(std::move(reply.error()));
  const auto object = object_in("PutSecretValue", *reply);
  if (!object) co_return tl::unexpected(object.error());
  co_return stages_in(object->if_contains("VersionStages"));
}

Task<Answer<void>> Api::move_current(Move move) {
  json::object request = {
      {"SecretId", move.name}, {"VersionStage", current_stage}, {"MoveToVersionId", move.to}};
  if (!move.from.empty()) request.emplace("RemoveFromVersionId", move.from);
  auto reply =
      co_await call("UpdateSecretVersionStage", json::serialize(request), Kind::switch_over);
  if (!reply) co_return tl::unexpected(std::move(reply.error()));
  co_return Answer<void>();
}

Task<Answer<Value>> Api::value(Which which) {
  json::object request = {{"SecretId", which.name}};
  if (!which.version_id.empty()) request.emplace("VersionId", which.version_id);
  if (!which.stage.empty()) request.emplace("VersionStage", which.stage);
  auto reply = co_await call("GetSecretValue", json::serialize(request), Kind::read);
  if (!reply) co_return tl::unexpected(std::move(reply.error()));
  auto object = object_in("GetSecretValue", *reply);
  wipe(reply->body);
  if (!object) co_return tl::unexpected(std::move(object.error()));
  Value found{.arn = text_in(*object, "ARN"),
              .version_id = text_in(*object, "VersionId"),
              .text = take_secret(*object, "SecretString")};
  co_return found;
}

Task<Answer<void>> Api::tag(std::string name, Tags tags) {
  auto body = json::serialize(json::object{{"SecretId", name}, {"Tags", tag_list(tags)}});
  auto reply = co_await call("TagResource", std::move(body), Kind::change);
  if (!reply) co_return tl::unexpected(std::move(reply.error()));
  co_return Answer<void>();
}

Task<Answer<void>> Api::restore(std::string name) {
  auto body = json::serialize(json::object{{"SecretId", name}});
  auto reply = co_await call("RestoreSecret", std::move(body), Kind::change);
  if (!reply) co_return tl::unexpected(std::move(reply.error()));
  co_return Answer<void>();
}

Task<aws::Reply> Api::call(std::string operation, std::string body, Kind kind) {
  aws::Call call;
  call.headers = {{"Content-Type", "application/x-amz-json-1.1"},
                  {"X-Amz-Target", "secretsmanager." + operation}};
  call.operation = std::move(operation);
  call.body = std::move(body);
  if (kind != Kind::read) call.admit = [this, kind] { return pass(kind); };
  // Of other services this code means throttling; here it is a quota, that a retry does not raise.
  // And what is tried again is logged.
  call.leave = [](const aws::Failure& failure) {
    return failure.code == "LimitExceededException" || shows_secret(failure);
  };
  auto reply = co_await client_.send(std::move(call));
  if (!reply) co_return tl::unexpected(without_secrets(explained(std::move(reply.error()))));
  co_return reply;
}

Task<Status> Api::pass(Kind kind) {
  if (!turnstiles_) {
    auto account = co_await this->account();
    if (!account) co_return fail(std::move(account.error()));
    auto region = session_.settings().signing_region(aws::Service::secrets_manager);
    if (!region) co_return fail(std::move(region.error()));
    const auto turnstile = [this, &account, &region](std::string_view what) {
      runtime::Allowance allowance{
          .name = fmt::format("secrets-manager-{}/{}/{}", what, *account, *region),
          .per_second = calls_per_second,
          .burst = calls_at_once};
      return runtime::Turnstile(session_.loop(), budget_, std::move(allowance));
    };
    // Another call may have made them while this one asked.
    if (!turnstiles_) {
      turnstiles_.reset(new Turnstiles{turnstile("writes"), turnstile("changes")});
    }
  }
  switch (kind) {
    case Kind::switch_over:  // what was staged before what is new: fewer sets are half switched
      co_return co_await turnstiles_->writes.pass(runtime::Urgency::look);
    case Kind::write:
      co_return co_await turnstiles_->writes.pass(runtime::Urgency::begin);
    case Kind::change:
      co_return co_await turnstiles_->changes.pass(runtime::Urgency::begin);
    case Kind::read:
      break;
  }
  co_return Status();
}

/// Whose quotas they are; by the access key where the account cannot be told.
Task<Result<std::string>> Api::account() {
  auto account = co_await session_.account();
  if (account) co_return account;
  auto credentials = co_await session_.credentials();
  if (!credentials) co_return fail(std::move(credentials.error()));
  co_return credentials->access_key_id;
}

}  // namespace certherd::vault::secrets_manager
