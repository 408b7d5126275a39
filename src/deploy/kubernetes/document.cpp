#include "deploy/kubernetes/document.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <utility>

#include "base/utf8.hpp"
#include "crypto/encoding.hpp"
#include "deploy/kubernetes/members.hpp"

namespace certherd::deploy::kubernetes {
namespace {

namespace json = boost::json;

std::map<std::string, std::string> texts_in(const json::object& object, std::string_view name) {
  std::map<std::string, std::string> texts;
  const auto* const inner = object_in(object, name);
  if (inner == nullptr) return texts;
  for (const auto& [key, value] : *inner) texts.emplace(key, text_in(*inner, key));
  return texts;
}

json::object to_object(const std::map<std::string, std::string>& texts) {
  json::object object;
  for (const auto& [key, value] : texts) object.emplace(key, value);
  return object;
}

std::vector<std::string> managers_in(const json::object& metadata) {
  std::vector<std::string> managers;
  const auto* const fields = metadata.if_contains("managedFields");
  if (fields == nullptr || !fields->is_array()) return managers;
  for (const auto& each : fields->get_array()) {
    const auto* const entry = each.if_object();
    auto name = entry == nullptr ? std::string() : cleaned(text_in(*entry, "manager"));
    if (!name.empty() && std::ranges::find(managers, name) == managers.end()) {
      managers.push_back(std::move(name));
    }
  }
  return managers;
}

/// What is no base64 cannot come from the API, and counts as nothing.
std::string decoded(const std::string& text) {
  auto bytes = crypto::from_base64(text);
  return bytes ? std::move(*bytes) : std::string();
}

/// A document of the API; nothing when it is another one.
std::optional<json::value> document_of(const std::string& body, std::string_view kind,
                                       std::string_view version) {
  boost::system::error_code code;
  auto document = json::parse(body, code);
  if (code || !document.is_object() || text_in(document.get_object(), "kind") != kind ||
      text_in(document.get_object(), "apiVersion") != version) {
    return std::nullopt;
  }
  return document;
}

std::string value_in(const std::map<std::string, std::string>& texts, std::string_view name) {
  const auto found = texts.find(std::string(name));
  return found == texts.end() ? std::string() : found->second;
}

}  // namespace

std::string StoredSecret::label(std::string_view name) const { return value_in(labels, name); }
std::string StoredSecret::annotation(std::string_view name) const {
  return value_in(annotations, name);
}

std::optional<StoredSecret> read_secret(const std::string& body) {
  auto document = document_of(body, "Secret", "v1");
  if (!document) return std::nullopt;
  auto& object = document->get_object();
  const auto* const metadata = object_in(object, "metadata");
  if (metadata == nullptr) return std::nullopt;
  StoredSecret secret{.uid = text_in(*metadata, "uid"),
                      .resource_version = text_in(*metadata, "resourceVersion"),
                      .type = text_in(object, "type"),
                      .labels = texts_in(*metadata, "labels"),
                      .annotations = texts_in(*metadata, "annotations"),
                      .managers = managers_in(*metadata),
                      .certificate = {},
                      .key = {}};
  if (secret.uid.empty() || secret.resource_version.empty()) return std::nullopt;
  auto* const data = object.if_contains("data");
  if (data != nullptr && data->is_object()) {
    auto& texts = data->get_object();
    secret.certificate = decoded(text_in(texts, "tls.crt"));
    secret.key = Secret<std::string>(decoded(take_secret(texts, "tls.key").reveal()));
  }
  return secret;
}

std::string to_json(const AppliedSecret& secret) {
  json::object metadata = {{"name", secret.name},
                           {"namespace", secret.namespace_},
                           {"labels", to_object(secret.labels)},
                           {"annotations", to_object(secret.annotations)}};
  if (!secret.resource_version.empty()) metadata["resourceVersion"] = secret.resource_version;
  const Secret<std::string> key(crypto::base64(secret.key.reveal()));
  json::object document = {
      {"apiVersion", "v1"},
      {"kind", "Secret"},
      {"metadata", std::move(metadata)},
      {"type", tls_type},
      {"data", {{"tls.crt", crypto::base64(secret.certificate)}, {"tls.key", key.reveal()}}}};
  auto text = json::serialize(document);
  (void)take_secret(document.at("data").get_object(), "tls.key");
  return text;
}

std::string deletion_of(const StoredSecret& secret) {
  return json::serialize(json::object{
      {"apiVersion", "v1"},
      {"kind", "DeleteOptions"},
      {"preconditions", {{"uid", secret.uid}, {"resourceVersion", secret.resource_version}}}});
}

std::string access_review(std::string_view verb, std::string_view namespace_) {
  return json::serialize(
      json::object{{"apiVersion", "authorization.k8s.io/v1"},
                   {"kind", "SelfSubjectAccessReview"},
                   {"spec",
                    {{"resourceAttributes",
                      {{"namespace", namespace_}, {"verb", verb}, {"resource", "secrets"}}}}}});
}

std::optional<Access> read_access(const std::string& body) {
  const auto document = document_of(body, "SelfSubjectAccessReview", "authorization.k8s.io/v1");
  const auto* const status = document ? object_in(document->get_object(), "status") : nullptr;
  const auto* const allowed = status == nullptr ? nullptr : status->if_contains("allowed");
  if (allowed == nullptr || !allowed->is_bool()) return std::nullopt;
  return Access{.allowed = allowed->get_bool(), .reason = cleaned(text_in(*status, "reason"))};
}

}  // namespace certherd::deploy::kubernetes
