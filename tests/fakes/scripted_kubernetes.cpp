#include "fakes/scripted_kubernetes.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <utility>

#include "crypto/encoding.hpp"

namespace certherd::fakes {
namespace {

namespace json = boost::json;
using kubernetes::Refusal;
using Key = kubernetes::Secrets::Key;
using Method = http::Request::Method;

constexpr std::string_view api_prefix = "/api/v1/namespaces/";
constexpr std::string_view secrets_part = "/secrets/";
constexpr std::string_view review_path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
constexpr const char* account = "system:serviceaccount:ops:certherd";

std::string_view name_of(Method method) {
  switch (method) {
    case Method::get:
      return "GET";
    case Method::head:
      return "HEAD";
    case Method::post:
      return "POST";
    case Method::put:
      return "PUT";
    case Method::patch:
      return "PATCH";
    case Method::delete_:
      return "DELETE";
  }
  return "";
}

http::Response respond(int status, const json::object& body) {
  http::Response response;
  response.status = status;
  response.headers = {{"content-type", "application/json"}};
  response.body = json::serialize(body);
  return response;
}

http::Response refuse(const Refusal& refusal) {
  json::object details;
  if (!refusal.name.empty()) details["name"] = refusal.name;
  if (!refusal.kind.empty()) details["kind"] = refusal.kind;
  json::array causes;
  for (const auto& cause : refusal.causes) {
    causes.push_back(
        {{"reason", cause.reason}, {"message", cause.message}, {"field", cause.field}});
  }
  if (!causes.empty()) details["causes"] = std::move(causes);
  return respond(refusal.code, {{"kind", "Status"},
                                {"apiVersion", "v1"},
                                {"metadata", json::object()},
                                {"status", "Failure"},
                                {"message", refusal.message},
                                {"reason", refusal.reason},
                                {"details", std::move(details)},
                                {"code", refusal.code}});
}

/// What no caller of ours may do.
http::Response unexpected(const http::Request& request, std::string_view what) {
  ADD_FAILURE() << "Kubernetes: " << name_of(request.method) << " " << request.url << ": " << what;
  return refuse({.code = 400,
                 .reason = "BadRequest",
                 .message = std::string(what),
                 .kind = {},
                 .name = {},
                 .causes = {}});
}

Refusal forbidden(const std::string& verb, const Key& key) {
  return {.code = 403,
          .reason = "Forbidden",
          .message = fmt::format("secrets \"{}\" is forbidden: User \"{}\" cannot {} resource "
                                 "\"secrets\" in API group \"\" in the namespace \"{}\"",
                                 key.second, account, verb, key.first),
          .kind = "secrets",
          .name = key.second,
          .causes = {}};
}

/// Null unless there is exactly one.
const std::string* only_header(const http::Request& request, std::string_view name) {
  const std::string* found = nullptr;
  for (const auto& [own, value] : request.headers) {
    if (own != name) continue;
    if (found != nullptr) return nullptr;
    found = &value;
  }
  return found;
}

bool has_type(const http::Request& request, std::string_view type) {
  const auto* const given = only_header(request, "Content-Type");
  return given != nullptr && *given == type;
}

std::optional<json::object> body_of(const http::Request& request) {
  boost::system::error_code code;
  auto document = json::parse(request.body, code);
  if (code || !document.is_object()) return std::nullopt;
  return std::move(document.get_object());
}

/// The texts below one field, under their paths; false when something else is there too.
bool add_fields(const json::object& object, const std::string& path, bool is_base64,
                kubernetes::Fields* fields) {
  return std::ranges::all_of(object, [&](const auto& member) {
    if (!member.value().is_string()) return false;
    std::string text(member.value().get_string());
    if (is_base64) {
      auto decoded = crypto::from_base64(text);
      if (!decoded) return false;
      text = std::move(*decoded);
    }
    (*fields)[path + std::string(member.key())] = std::move(text);
    return true;
  });
}

struct Applied {
  kubernetes::Fields fields;
  std::string resource_version;
};

/// Nothing when it is not just what a target may say.
std::optional<Applied> read_applied(const json::object& body, const Key& key) {
  Applied applied;
  try {
    const auto& metadata = body.at("metadata").as_object();
    const bool versioned = metadata.contains("resourceVersion");
    if (versioned) applied.resource_version = metadata.at("resourceVersion").as_string();
    const bool good = body.size() == 5 && body.at("apiVersion") == "v1" &&
                      body.at("kind") == "Secret" && metadata.size() == (versioned ? 5U : 4U) &&
                      metadata.at("namespace").as_string() == key.first &&
                      metadata.at("name").as_string() == key.second &&
                      (!versioned || !applied.resource_version.empty()) &&
                      add_fields(metadata.at("labels").as_object(), ".metadata.labels.", false,
                                 &applied.fields) &&
                      add_fields(metadata.at("annotations").as_object(), ".metadata.annotations.",
                                 false, &applied.fields) &&
                      add_fields(body.at("data").as_object(), ".data.", true, &applied.fields);
    if (!good) return std::nullopt;
    applied.fields[".type"] = body.at("type").as_string();
  } catch (const std::exception&) {
    return std::nullopt;
  }
  return applied;
}

json::object render(const kubernetes::Secret& secret) {
  json::object labels;
  json::object annotations;
  json::object data;
  const std::vector<std::pair<std::string, json::object*>> parts = {
      {".metadata.labels.", &labels}, {".metadata.annotations.", &annotations}, {".data.", &data}};
  for (const auto& [path, value] : secret.fields) {
    for (const auto& [prefix, object] : parts) {
      if (!path.starts_with(prefix)) continue;
      object->emplace(path.substr(prefix.size()), object == &data ? crypto::base64(value) : value);
    }
  }
  std::set<std::string> managers;
  for (const auto& [path, owners] : secret.owners) managers.insert(owners.begin(), owners.end());
  json::array managed;
  for (const auto& manager : managers) {
    managed.push_back({{"manager", manager},
                       {"operation", manager == "certherd" ? "Apply" : "Update"},
                       {"apiVersion", "v1"},
                       {"fieldsType", "FieldsV1"}});
  }
  json::object metadata = {{"name", secret.name},
                           {"namespace", secret.namespace_},
                           {"uid", secret.uid},
                           {"resourceVersion", secret.resource_version},
                           {"managedFields", std::move(managed)}};
  // The API leaves out what is empty.
  if (!labels.empty()) metadata["labels"] = std::move(labels);
  if (!annotations.empty()) metadata["annotations"] = std::move(annotations);
  json::object document = {{"kind", "Secret"},
                           {"apiVersion", "v1"},
                           {"metadata", std::move(metadata)},
                           {"type", secret.field(".type")}};
  if (!data.empty()) document["data"] = std::move(data);
  return document;
}

}  // namespace

ScriptedKubernetes::Fault ScriptedKubernetes::refusal(int status, const std::string& reason,
                                                      const std::string& message,
                                                      http::Headers headers) {
  auto response = refuse(
      {.code = status, .reason = reason, .message = message, .kind = {}, .name = {}, .causes = {}});
  response.headers.insert(response.headers.end(), headers.begin(), headers.end());
  return {.after_its_work = false, .answer = std::move(response)};
}

ScriptedKubernetes::Fault ScriptedKubernetes::truncated() {
  http::Response response;
  response.status = 200;
  response.body = R"({"kind":"Secret","apiVersion":"v1","metad)";
  return {.after_its_work = true, .answer = std::move(response)};
}

ScriptedKubernetes::ScriptedKubernetes(std::function<Time()> now) : now_(std::move(now)) {
  tokens_[token] = Time::max();
}

Task<Result<http::Response>> ScriptedKubernetes::send(http::Request request, Time /*deadline*/) {
  auto response = answer(request);
  if (response) co_return std::move(*response);
  co_return fail(Error::Kind::transient, fmt::format("{} {}", name_of(request.method), request.url),
                 "the connection broke off");
}

std::optional<http::Response> ScriptedKubernetes::answer(const http::Request& request) {
  std::function<void()> action;
  int number = 0;
  {
    const std::scoped_lock lock(mutex_);
    calls_.push_back({.method = request.method,
                      .target = request.url.starts_with(server)
                                    ? request.url.substr(std::string_view(server).size())
                                    : request.url});
    number = static_cast<int>(calls_.size());
    if (interruption_ && interruption_->at == number) {
      action = std::move(interruption_->action);
      interruption_.reset();
    }
  }
  if (action) action();
  const std::scoped_lock lock(mutex_);
  std::optional<Fault> fault;
  if (disturbance_ && disturbance_->at == number) {
    fault = std::move(disturbance_->fault);
    disturbance_.reset();
    was_disturbed_ = true;
  }
  std::optional<http::Response> response;
  if (!fault || fault->after_its_work) response = carry_out(request);
  return fault ? std::move(fault->answer) : std::move(response);
}

bool ScriptedKubernetes::is_known(const http::Request& request) const {
  constexpr std::string_view scheme = "Bearer ";
  const auto* const given = only_header(request, "Authorization");
  if (given == nullptr || !given->starts_with(scheme)) return false;
  const auto found = tokens_.find(given->substr(scheme.size()));
  return found != tokens_.end() && now_() < found->second;
}

http::Response ScriptedKubernetes::carry_out(const http::Request& request) {
  if (!request.url.starts_with(server)) return unexpected(request, "this is another server");
  if (!is_known(request)) {
    return refuse({.code = 401,
                   .reason = "Unauthorized",
                   .message = "Unauthorized",
                   .kind = {},
                   .name = {},
                   .causes = {}});
  }
  const auto* const accepted = only_header(request, "Accept");
  if (accepted == nullptr || *accepted != "application/json") {
    return unexpected(request, "Accept must be application/json");
  }
  const auto& target = calls_.back().target;
  if (target == review_path) return review(request);
  const auto question = target.find('?');
  const std::string_view path = std::string_view(target).substr(0, question);
  const std::string query = question == std::string::npos ? "" : target.substr(question + 1);
  const auto part = path.find(secrets_part);
  if (!path.starts_with(api_prefix) || part == std::string_view::npos) {
    return unexpected(request, "no such path");
  }
  const Key key(path.substr(api_prefix.size(), part - api_prefix.size()),
                path.substr(part + secrets_part.size()));
  if (key.first.empty() || key.second.empty() || key.second.find('/') != std::string::npos) {
    return unexpected(request, "no such path");
  }
  if (query != (request.method == Method::patch ? "fieldManager=certherd" : "")) {
    return unexpected(request, "no such query");
  }
  if (request.method == Method::get) return read(key);
  if (request.method == Method::patch) return apply(request, key);
  if (request.method == Method::delete_) return remove(request, key);
  return unexpected(request, "no such method here");
}

http::Response ScriptedKubernetes::review(const http::Request& request) const {
  auto body = body_of(request);
  if (request.method != Method::post || !has_type(request, "application/json") || !body) {
    return unexpected(request, "an access review is a POST of JSON");
  }
  if (!may("selfsubjectaccessreviews")) {
    return refuse({.code = 403,
                   .reason = "Forbidden",
                   .message = fmt::format("selfsubjectaccessreviews.authorization.k8s.io is "
                                          "forbidden: User \"{}\" cannot create resource",
                                          account),
                   .kind = "selfsubjectaccessreviews",
                   .name = {},
                   .causes = {}});
  }
  try {
    const auto& asked = body->at("spec").as_object().at("resourceAttributes").as_object();
    if (body->size() != 3 || body->at("apiVersion") != "authorization.k8s.io/v1" ||
        body->at("kind") != "SelfSubjectAccessReview" || asked.size() != 3 ||
        asked.at("resource") != "secrets") {
      return unexpected(request, "no such review");
    }
    const bool allowed = may(std::string(asked.at("verb").as_string())) &&
                         namespaces_.contains(std::string(asked.at("namespace").as_string()));
    (*body)["status"] = json::object{{"allowed", allowed}};
    if (allowed) body->at("status").as_object()["reason"] = "RBAC: allowed by RoleBinding";
  } catch (const std::exception&) {
    return unexpected(request, "no such review");
  }
  return respond(201, *body);
}

http::Response ScriptedKubernetes::read(const Key& key) const {
  if (!may("get")) return refuse(forbidden("get", key));
  const auto* const found = secrets_.find(key);
  // A namespace that is not there has no Secrets.
  if (found == nullptr) return refuse(kubernetes::not_found("secrets", key.second));
  return respond(200, render(*found));
}

http::Response ScriptedKubernetes::apply(const http::Request& request, const Key& key) {
  const auto body = body_of(request);
  const auto applied = body ? read_applied(*body, key) : std::nullopt;
  if (!has_type(request, "application/apply-patch+yaml") || !applied) {
    return unexpected(request, "this is no document to apply");
  }
  const bool is_new = secrets_.find(key) == nullptr;
  if (!may("patch")) return refuse(forbidden("patch", key));
  if (is_new && !may("create")) return refuse(forbidden("create", key));
  if (!namespaces_.contains(key.first))
    return refuse(kubernetes::not_found("namespaces", key.first));
  const auto done = secrets_.apply(key, applied->fields, applied->resource_version, "certherd");
  if (!done) return refuse(done.error());
  return respond(is_new ? 201 : 200, render(**done));
}

http::Response ScriptedKubernetes::remove(const http::Request& request, const Key& key) {
  const auto body = body_of(request);
  std::string uid;
  std::string resource_version;
  try {
    const auto& preconditions = body.value().at("preconditions").as_object();
    uid = preconditions.at("uid").as_string();
    resource_version = preconditions.at("resourceVersion").as_string();
    if (body->size() != 3 || body->at("apiVersion") != "v1" ||
        body->at("kind") != "DeleteOptions" || preconditions.size() != 2 || uid.empty() ||
        resource_version.empty() || !has_type(request, "application/json")) {
      return unexpected(request, "a deletion must say what it deletes");
    }
  } catch (const std::exception&) {
    return unexpected(request, "a deletion must say what it deletes");
  }
  if (!may("delete")) return refuse(forbidden("delete", key));
  const auto done = secrets_.remove(key, uid, resource_version);
  if (!done) return refuse(done.error());
  return respond(200, {{"kind", "Status"},
                       {"apiVersion", "v1"},
                       {"metadata", json::object()},
                       {"status", "Success"},
                       {"details", {{"name", key.second}, {"kind", "secrets"}, {"uid", uid}}}});
}

void ScriptedKubernetes::disturb(int nth, Fault fault) {
  const std::scoped_lock lock(mutex_);
  disturbance_ =
      Disturbance{.at = static_cast<int>(calls_.size()) + nth, .fault = std::move(fault)};
  was_disturbed_ = false;
}

bool ScriptedKubernetes::was_disturbed() const {
  const std::scoped_lock lock(mutex_);
  return was_disturbed_;
}

void ScriptedKubernetes::before(int nth, std::function<void()> action) {
  const std::scoped_lock lock(mutex_);
  interruption_ =
      Interruption{.at = static_cast<int>(calls_.size()) + nth, .action = std::move(action)};
}

void ScriptedKubernetes::add_token(const std::string& text, Time expires_at) {
  const std::scoped_lock lock(mutex_);
  tokens_[text] = expires_at;
}

void ScriptedKubernetes::revoke_token(const std::string& text) {
  const std::scoped_lock lock(mutex_);
  tokens_.erase(text);
}

void ScriptedKubernetes::forbid(const std::string& verb) {
  const std::scoped_lock lock(mutex_);
  forbidden_.insert(verb);
}

void ScriptedKubernetes::remove_namespace(const std::string& name) {
  const std::scoped_lock lock(mutex_);
  namespaces_.erase(name);
}

void ScriptedKubernetes::edit(const std::string& namespace_, const std::string& name,
                              const kubernetes::Fields& fields, const std::string& manager) {
  const std::scoped_lock lock(mutex_);
  secrets_.update({namespace_, name}, fields, manager);
}

void ScriptedKubernetes::remove(const std::string& namespace_, const std::string& name) {
  const std::scoped_lock lock(mutex_);
  (void)secrets_.remove({namespace_, name}, "", "");
}

std::optional<kubernetes::Secret> ScriptedKubernetes::secret(const std::string& namespace_,
                                                             const std::string& name) const {
  const std::scoped_lock lock(mutex_);
  const auto* const found = secrets_.find({namespace_, name});
  return found == nullptr ? std::nullopt : std::optional(*found);
}

std::size_t ScriptedKubernetes::secrets() const {
  const std::scoped_lock lock(mutex_);
  return secrets_.all().size();
}

std::vector<ScriptedKubernetes::Call> ScriptedKubernetes::calls() const {
  const std::scoped_lock lock(mutex_);
  return calls_;
}

int ScriptedKubernetes::writes() const {
  const std::scoped_lock lock(mutex_);
  return static_cast<int>(std::ranges::count_if(calls_, [](const Call& call) {
    return call.method == Method::patch || call.method == Method::delete_;
  }));
}

}  // namespace certherd::fakes
