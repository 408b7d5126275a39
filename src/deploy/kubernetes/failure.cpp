#include "deploy/kubernetes/failure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <utility>
#include <vector>

#include "base/utf8.hpp"
#include "deploy/kubernetes/members.hpp"

namespace certherd::deploy::kubernetes {
namespace {

namespace json = boost::json;
using Kind = Error::Kind;

struct Cause {
  std::string reason;
  std::string message;
  std::string field;
};

/// The Status of an answer; what it does not say is empty.
struct Said {
  std::string reason;
  std::string message;
  std::string kind;  ///< of the object that it is about: "namespaces"
  std::vector<Cause> causes;

  bool is(std::string_view cause) const {
    return std::ranges::any_of(causes, [&](const Cause& each) { return each.reason == cause; });
  }
};

Said read_status(const std::string& body) {
  Said said;
  boost::system::error_code code;
  const auto document = json::parse(body, code);
  const auto* const object = code ? nullptr : document.if_object();
  if (object == nullptr || text_in(*object, "kind") != "Status") return said;
  said.reason = text_in(*object, "reason");
  said.message = text_in(*object, "message");
  const auto* const details = object_in(*object, "details");
  if (details == nullptr) return said;
  said.kind = text_in(*details, "kind");
  const auto* const causes = details->if_contains("causes");
  if (causes == nullptr || !causes->is_array()) return said;
  for (const auto& each : causes->get_array()) {
    if (const auto* const cause = each.if_object()) {
      said.causes.push_back({.reason = text_in(*cause, "reason"),
                             .message = text_in(*cause, "message"),
                             .field = text_in(*cause, "field")});
    }
  }
  return said;
}

/// A private key in PEM, as it is and in base64.
bool shows_secret(std::string_view words) {
  return words.find("PRIVATE KEY") != std::string_view::npos ||
         words.find("LS0tLS1CRUdJTi") != std::string_view::npos;
}

std::string words_of(const Said& said, int status) {
  if (said.message.empty())
    return fmt::format("the server answers {} and does not say why", status);
  if (shows_secret(said.message)) {
    return fmt::format(
        "the server answers {}; its message repeats what was sent, and is left out "
        "for that",
        status);
  }
  return cleaned(said.message);
}

/// `conflict with "kubectl-edit" using v1` names the other manager.
std::string manager_in(const std::string& message) {
  const auto begin = message.find('"');
  const auto end = begin == std::string::npos ? begin : message.find('"', begin + 1);
  return end == std::string::npos ? "somebody else"
                                  : cleaned(message.substr(begin, end + 1 - begin));
}

/// Others hold fields that we would set; nobody is overruled.
Failure held_by_others(const Said& said, const Called& called) {
  std::string fields;
  std::string manager;
  for (const auto& cause : said.causes) {
    if (cause.reason != "FieldManagerConflict") continue;
    fields += (fields.empty() ? "" : ", ") + cleaned(cause.field);
    if (manager.empty()) manager = manager_in(cause.message);
  }
  auto error = fail(Kind::conflict, called.op,
                    fmt::format("{} has written {} since, and goes on managing that: let it leave "
                                "this Secret alone and delete the Secret, so that it is made anew, "
                                "or choose another `name`",
                                manager, fields));
  return {.error = std::move(error).value(), .look_again = false};
}

struct Meaning {
  Kind kind;
  std::string remedy;
};

Meaning meaning_of(int status, const Said& said, const Called& called) {
  switch (status) {
    case 401:
      return {Kind::denied, "the token or client certificate is not valid, or no longer"};
    case 403:
      if (said.is("NamespaceTerminating")) return {Kind::transient, ""};
      return {Kind::denied, called.on_denied};
    case 404:
      if (said.kind == "namespaces") {
        return {Kind::misconfigured,
                fmt::format("create it (kubectl create namespace {}), or correct `namespace`",
                            called.namespace_)};
      }
      if (said.reason == "NotFound" && !said.kind.empty()) return {Kind::not_found, ""};
      return {Kind::misconfigured, "`server` does not seem to be the API server of Kubernetes"};
    case 409:
      return {Kind::conflict, ""};
    case 415:
      return {Kind::misconfigured, "certherd needs server-side apply: Kubernetes 1.22 or newer"};
    case 422:
      return {
          Kind::misconfigured,
          "if `type` or `immutable` of the Secret is meant, delete it, so that it is made anew"};
    case 429:
      return {Kind::throttled, ""};
    default:
      return {status >= 500 ? Kind::transient : Kind::misconfigured, ""};
  }
}

}  // namespace

Failure explained(const http::Response& response, const Called& called, Time now) {
  const auto said = read_status(response.body);
  if (response.status == 409 && said.is("FieldManagerConflict")) {
    return held_by_others(said, called);
  }
  const auto meaning = meaning_of(response.status, said, called);
  auto words = words_of(said, response.status);
  if (!meaning.remedy.empty()) words += " (" + meaning.remedy + ")";
  Failure failure;
  failure.error = fail(meaning.kind, called.op, std::move(words)).value();
  if (meaning.kind == Kind::throttled || meaning.kind == Kind::transient) {
    failure.error.retry_at = http::retry_after(response, now);
  }
  failure.look_again = meaning.kind == Kind::conflict || meaning.kind == Kind::not_found;
  return failure;
}

std::string role_to_add(std::string_view verb, std::string_view namespace_) {
  return fmt::format(
      "the right to {} Secrets is missing: bind certherd's account to a Role of namespace {} with "
      "the rule {{apiGroups: [\"\"], resources: [secrets], verbs: [get, create, patch, delete]}}",
      verb, namespace_);
}

}  // namespace certherd::deploy::kubernetes
