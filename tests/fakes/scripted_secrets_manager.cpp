#include "fakes/scripted_secrets_manager.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <utility>

#include "fakes/aws_json.hpp"

namespace certherd::fakes {
namespace {

namespace json = boost::json;

// AWS API reference of Secrets Manager, 2017-10-17.
constexpr std::size_t largest_value = 65'536;
constexpr std::size_t longest_name = 512;
constexpr std::size_t shortest_token = 32;
constexpr std::size_t longest_token = 64;
constexpr std::size_t most_stages = 20;

// PutSecretValue, UpdateSecret and UpdateSecretVersionStage together, and each of the others.
constexpr int calls_per_second = 50;

constexpr const char* current = "AWSCURRENT";
constexpr const char* previous = "AWSPREVIOUS";

constexpr std::string_view target_prefix = "secretsmanager.";

bool is_alphanumeric(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool holds_only(std::string_view text, std::string_view punctuation) {
  return std::ranges::all_of(text, [punctuation](char c) {
    return is_alphanumeric(c) || punctuation.find(c) != std::string_view::npos;
  });
}

bool is_token(const std::string& token) {
  return token.size() >= shortest_token && token.size() <= longest_token;
}

const AwsOperations& operations() {
  static const AwsOperations known = {
      {"CreateSecret", {"*Name", "*ClientRequestToken", "*SecretString", "KmsKeyId", "*Tags"}},
      {"PutSecretValue", {"*SecretId", "*ClientRequestToken", "*SecretString", "VersionStages"}},
      {"UpdateSecretVersionStage",
       {"*SecretId", "*VersionStage", "*MoveToVersionId", "RemoveFromVersionId"}},
      {"GetSecretValue", {"*SecretId", "VersionId", "VersionStage"}},
      {"DescribeSecret", {"*SecretId"}},
      {"TagResource", {"*SecretId", "*Tags"}},
      {"RestoreSecret", {"*SecretId"}},
  };
  return known;
}

void set_tags(ScriptedSecretsManager::Secret& secret, const json::array& tags) {
  for (const auto& tag : tags) {
    secret.tags.insert_or_assign(aws_text(tag.as_object(), "Key"),
                                 aws_text(tag.as_object(), "Value"));
  }
}

/// Takes a label from whoever has it. AWSPREVIOUS follows AWSCURRENT by itself.
void give_stage(ScriptedSecretsManager::Secret& secret, const std::string& stage,
                const std::string& version_id) {
  const auto former = secret.holder(stage);
  for (auto& [id, version] : secret.versions) version.stages.erase(stage);
  secret.versions.at(version_id).stages.insert(stage);
  if (stage != current || former == version_id) return;
  for (auto& [id, version] : secret.versions) version.stages.erase(previous);
  if (!former.empty()) secret.versions.at(former).stages.insert(previous);
}

json::array list_of(const std::set<std::string>& stages) {
  json::array list;
  for (const auto& stage : stages) list.emplace_back(stage);
  return list;
}

http::Response no_such_secret() {
  return aws_refusal("ResourceNotFoundException",
                     "Secrets Manager can't find the specified secret.");
}

http::Response marked_for_deletion() {
  return aws_refusal("InvalidRequestException",
                     "You can't perform this operation on the secret because it was marked for "
                     "deletion.");
}

}  // namespace

std::string ScriptedSecretsManager::Secret::holder(const std::string& stage) const {
  const auto found = std::ranges::find_if(
      versions, [&stage](const auto& version) { return version.second.stages.contains(stage); });
  return found == versions.end() ? std::string() : found->first;
}

ScriptedSecretsManager::Fault ScriptedSecretsManager::refusal(std::string_view code,
                                                              std::string_view message,
                                                              int status) {
  return {.after_its_work = false, .answer = aws_refusal(code, message, status)};
}

ScriptedSecretsManager::Fault ScriptedSecretsManager::truncated() {
  auto cut_off = aws_response({});
  cut_off.body = R"({"ARN":"arn:aws:secretsm)";
  return {.after_its_work = true, .answer = std::move(cut_off)};
}

ScriptedSecretsManager::ScriptedSecretsManager(aws::Credentials credentials,
                                               std::function<Time()> now)
    : credentials_(std::move(credentials)), now_(std::move(now)) {}

Task<Result<http::Response>> ScriptedSecretsManager::send(http::Request request,
                                                          Time /*deadline*/) {
  if (delay_) co_await delay_();
  auto response = answer(request);
  if (response) co_return std::move(*response);
  co_return fail(Error::Kind::transient, "POST " + request.url, "the connection broke off");
}

std::optional<http::Response> ScriptedSecretsManager::answer(const http::Request& request) {
  const std::scoped_lock lock(mutex_);
  if (is_for_sts(request)) {
    return answer_caller_identity(request, credentials_, now_(), hides_account_);
  }
  AwsCall call;
  auto refused = read_aws_call(request, target_prefix, "secretsmanager", operations(), credentials_,
                               now_(), &call);
  if (refused) return refused;
  const auto& [operation, body] = call;
  calls_.push_back({.operation = operation,
                    .secret = aws_text(body, body.contains("Name") ? "Name" : "SecretId"),
                    .request = body,
                    .at = now_()});
  const auto number = static_cast<int>(calls_.size());
  if (interruption_ && interruption_->at == number) {
    const auto action = std::move(interruption_->action);
    interruption_.reset();
    action();
  }
  if (disturbance_ && disturbance_->at == number) {
    const auto happening = std::move(disturbance_->fault);
    disturbance_.reset();
    was_disturbed_ = true;
    if (happening.after_its_work) (void)carry_out(operation, body);
    return happening.answer;
  }
  if (is_over_quota(operation)) {
    ++throttled_;
    return aws_refusal("ThrottlingException", "Rate exceeded");
  }
  return carry_out(operation, body);
}

void ScriptedSecretsManager::disturb(int nth, Fault fault) {
  was_disturbed_ = false;
  disturbance_ =
      Disturbance{.at = static_cast<int>(calls_.size()) + nth, .fault = std::move(fault)};
}

void ScriptedSecretsManager::before(int nth, std::function<void()> action) {
  interruption_ =
      Interruption{.at = static_cast<int>(calls_.size()) + nth, .action = std::move(action)};
}

ScriptedSecretsManager::Secret& ScriptedSecretsManager::put_by_hand(const std::string& name,
                                                                    const std::string& version_id,
                                                                    std::string value) {
  auto& secret = secrets_[name];
  if (secret.arn.empty()) secret.arn = new_arn(name);
  secret.versions[version_id].value = std::move(value);
  give_stage(secret, current, version_id);
  return secret;
}

int ScriptedSecretsManager::count(std::string_view operation) const {
  return static_cast<int>(std::ranges::count(calls_, operation, &Call::operation));
}

http::Response ScriptedSecretsManager::carry_out(const std::string& operation,
                                                 const json::object& request) {
  if (operation == "CreateSecret") return create(request);
  if (!secrets_.contains(aws_text(request, "SecretId"))) return no_such_secret();
  if (operation == "PutSecretValue") return put(request);
  if (operation == "UpdateSecretVersionStage") return update_stage(request);
  if (operation == "GetSecretValue") return get_value(request);
  if (operation == "DescribeSecret") return describe(request);
  if (operation == "TagResource") return tag(request);
  return restore(request);
}

http::Response ScriptedSecretsManager::create(const json::object& request) {
  const auto name = aws_text(request, "Name");
  const auto token = aws_text(request, "ClientRequestToken");
  const auto value = aws_text(request, "SecretString");
  const auto& tags = request.at("Tags").as_array();
  if (name.empty() || name.size() > longest_name || !holds_only(name, "/_+=.@-")) {
    return aws_unexpected("no name of a secret: " + name);
  }
  if (!is_token(token)) return aws_unexpected("no ClientRequestToken: " + token);
  if (value.empty() || value.size() > largest_value) return aws_unexpected("the size of the value");
  if (const auto fault = fault_in_aws_tags(tags); !fault.empty()) return aws_unexpected(fault);

  if (const auto found = secrets_.find(name); found != secrets_.end()) {
    if (found->second.deleted) {
      return aws_refusal("InvalidRequestException",
                         "You can't create this secret because a secret with this name is already "
                         "scheduled for deletion.");
    }
    const auto version = found->second.versions.find(token);
    if (version == found->second.versions.end() || version->second.value != value) {
      return aws_refusal(
          "ResourceExistsException",
          fmt::format("The operation failed because the secret {} already exists.", name));
    }
    return aws_response({{"ARN", found->second.arn}, {"Name", name}, {"VersionId", token}});
  }
  auto& secret = secrets_[name];
  secret.arn = new_arn(name);
  secret.kms_key_id = aws_text(request, "KmsKeyId");
  secret.versions[token].value = value;
  give_stage(secret, current, token);
  set_tags(secret, tags);
  return aws_response({{"ARN", secret.arn}, {"Name", name}, {"VersionId", token}});
}

http::Response ScriptedSecretsManager::put(const json::object& request) {
  const auto name = aws_text(request, "SecretId");
  const auto token = aws_text(request, "ClientRequestToken");
  const auto value = aws_text(request, "SecretString");
  auto& secret = secrets_.at(name);
  if (!is_token(token)) return aws_unexpected("no ClientRequestToken: " + token);
  if (value.empty() || value.size() > largest_value) return aws_unexpected("the size of the value");
  if (secret.deleted) return marked_for_deletion();

  const auto reply = [&] {
    return aws_response({{"ARN", secret.arn},
                         {"Name", name},
                         {"VersionId", token},
                         {"VersionStages", list_of(secret.versions.at(token).stages)}});
  };
  if (const auto found = secret.versions.find(token); found != secret.versions.end()) {
    if (found->second.value == value) return reply();  // and the labels stay as they are
    return aws_refusal(
        "ResourceExistsException",
        fmt::format("You can't use ClientRequestToken {} because that value is already "
                    "in use for a version of secret {}.",
                    token, secret.arn));
  }
  std::set<std::string> stages;
  if (const auto* const list = request.if_contains("VersionStages")) {
    for (const auto& stage : list->as_array()) stages.emplace(stage.as_string());
  }
  if (stages.empty() || secret.versions.empty()) stages.emplace(current);
  if (stages.size() > most_stages) return aws_unexpected("too many labels");
  secret.versions[token].value = value;
  for (const auto& stage : stages) give_stage(secret, stage, token);
  return reply();
}

http::Response ScriptedSecretsManager::update_stage(const json::object& request) {
  const auto name = aws_text(request, "SecretId");
  const auto stage = aws_text(request, "VersionStage");
  const auto to = aws_text(request, "MoveToVersionId");
  const auto from = aws_text(request, "RemoveFromVersionId");
  auto& secret = secrets_.at(name);
  if (secret.deleted) return marked_for_deletion();
  if (!secret.versions.contains(to)) {
    return aws_refusal(
        "ResourceNotFoundException",
        "Secrets Manager can't find the specified secret value for VersionId: " + to);
  }
  const auto holder = secret.holder(stage);
  if (from.empty() && !holder.empty()) {
    return aws_refusal(
        "InvalidParameterException",
        fmt::format("The parameter RemoveFromVersionId can't be empty. Staging label {} "
                    "is currently attached to version {}, so you must explicitly "
                    "reference that version in RemoveFromVersionId.",
                    stage, holder));
  }
  if (from != holder) {
    return aws_refusal(
        "InvalidParameterException",
        fmt::format("The parameter RemoveFromVersionId has the value {}, and staging "
                    "label {} is attached to version {}.",
                    from, stage, holder));
  }
  if (to == from) return aws_unexpected("a label is moved to where it is");
  give_stage(secret, stage, to);
  return aws_response({{"ARN", secret.arn}, {"Name", name}});
}

http::Response ScriptedSecretsManager::get_value(const json::object& request) const {
  const auto name = aws_text(request, "SecretId");
  const auto& secret = secrets_.at(name);
  if (secret.deleted) return marked_for_deletion();
  auto id = aws_text(request, "VersionId");
  auto stage = aws_text(request, "VersionStage");
  if (id.empty() && stage.empty()) stage = current;
  if (id.empty()) id = secret.holder(stage);
  const auto version = secret.versions.find(id);
  if (version == secret.versions.end()) {
    return aws_refusal("ResourceNotFoundException",
                       "Secrets Manager can't find the specified secret value for " +
                           (stage.empty() ? "VersionId: " + id : "staging label: " + stage));
  }
  if (!stage.empty() && !version->second.stages.contains(stage)) {
    return aws_refusal("InvalidRequestException", "The staging label is not on that version.");
  }
  return aws_response({{"ARN", secret.arn},
                       {"Name", name},
                       {"VersionId", id},
                       {"SecretString", version->second.value},
                       {"VersionStages", list_of(version->second.stages)},
                       {"CreatedDate", 1.79e9}});
}

http::Response ScriptedSecretsManager::describe(const json::object& request) const {
  const auto name = aws_text(request, "SecretId");
  const auto& secret = secrets_.at(name);
  json::object versions;
  for (const auto& [id, version] : secret.versions) {
    // One without a label is on its way out, and is not told of.
    if (!version.stages.empty()) versions.emplace(id, list_of(version.stages));
  }
  json::array tags;
  for (const auto& [key, value] : secret.tags) tags.push_back({{"Key", key}, {"Value", value}});
  json::object reply = {{"ARN", secret.arn}, {"Name", name}, {"Tags", tags}};
  if (!versions.empty()) reply.emplace("VersionIdsToStages", versions);
  if (!secret.kms_key_id.empty()) reply.emplace("KmsKeyId", secret.kms_key_id);
  if (secret.deleted) {
    reply.emplace("DeletedDate", static_cast<double>(to_micros(*secret.deleted)) / 1e6);
  }
  return aws_response(reply);
}

http::Response ScriptedSecretsManager::tag(const json::object& request) {
  auto& secret = secrets_.at(aws_text(request, "SecretId"));
  const auto& tags = request.at("Tags").as_array();
  if (const auto fault = fault_in_aws_tags(tags); !fault.empty()) return aws_unexpected(fault);
  if (secret.deleted) return marked_for_deletion();
  set_tags(secret, tags);
  return aws_response({});
}

http::Response ScriptedSecretsManager::restore(const json::object& request) {
  const auto name = aws_text(request, "SecretId");
  auto& secret = secrets_.at(name);
  if (!secret.deleted) return aws_unexpected("restored without having been deleted: " + name);
  secret.deleted.reset();
  return aws_response({{"ARN", secret.arn}, {"Name", name}});
}

/// Counts the call that has just come too.
bool ScriptedSecretsManager::is_over_quota(std::string_view operation) const {
  const auto is_write = [](std::string_view name) {
    return name == "PutSecretValue" || name == "UpdateSecretVersionStage";
  };
  if (operation == "DescribeSecret" || operation == "GetSecretValue") return false;
  const auto since = now_() - std::chrono::seconds(1);
  int count = 0;
  for (auto call = calls_.rbegin(); call != calls_.rend() && call->at > since; ++call) {
    const bool same =
        call->operation == operation || (is_write(operation) && is_write(call->operation));
    if (same) ++count;
  }
  return count > calls_per_second;
}

/// With six characters behind the name, as they have it.
std::string ScriptedSecretsManager::new_arn(const std::string& name) {
  return fmt::format("arn:aws:secretsmanager:{}:{}:secret:{}-Ab{:04}", region, account, name,
                     ++arns_);
}

}  // namespace certherd::fakes
