#include "fleet/report.hpp"

#include <boost/json.hpp>

#include "base/utf8.hpp"

namespace certherd::fleet {
namespace {

namespace json = boost::json;

json::value time_or_null(std::optional<Time> time) {
  if (!time) return nullptr;
  return json::string(format_time(*time));
}

std::string_view to_string(Installed installed) {
  switch (installed) {
    case Installed::installed:
      return "installed";
    case Installed::unchanged:
      return "unchanged";
    case Installed::failed:
      return "failed";
  }
  return "failed";
}

json::value problem_json(const Error& error) {
  if (!error.problem) return nullptr;
  const auto& problem = *error.problem;
  json::object object{{"type", problem.type}, {"detail", problem.detail}};
  if (!problem.title.empty()) object["title"] = problem.title;
  if (problem.status != 0) object["status"] = problem.status;
  if (!problem.instance.empty()) object["instance"] = problem.instance;
  json::array subproblems;
  for (const auto& sub : problem.subproblems) {
    subproblems.push_back(
        json::object{{"type", sub.type}, {"detail", sub.detail}, {"identifier", sub.identifier}});
  }
  if (!subproblems.empty()) object["subproblems"] = std::move(subproblems);
  return object;
}

}  // namespace

std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::issued:
      return "issued";
    case Outcome::current:
      return "current";
    case Outcome::deferred:
      return "deferred";
    case Outcome::failed:
      return "failed";
  }
  return "failed";
}

json::object to_json(const Error& error) {
  json::object object{{"kind", to_string(error.kind)},
                      {"op", cleaned(error.op)},
                      {"detail", cleaned(error.detail)},
                      {"retry_at", time_or_null(error.retry_at)},
                      {"problem", problem_json(error)}};
  json::array causes;
  for (const auto& cause : error.causes) causes.push_back(to_json(cause));
  if (!causes.empty()) object["causes"] = std::move(causes);
  return object;
}

json::object to_json(const Report& report) {
  json::object object{{"domain", report.domain.text()}, {"outcome", to_string(report.outcome)}};
  const auto& certificate = report.certificate;
  json::array names;
  json::object targets;
  json::value vault = nullptr;
  json::value served = nullptr;
  if (certificate) {
    for (const auto& name : certificate->names) names.push_back(json::string(name.text()));
    for (const auto& [target, state] : certificate->targets) {
      targets[target.text()] = to_string(state);
    }
    if (!certificate->vault.fullchain.empty()) {
      vault = json::object{{"csr", certificate->vault.csr},
                           {"private_key", certificate->vault.private_key},
                           {"fullchain", certificate->vault.fullchain}};
    }
    if (certificate->served) served = *certificate->served;
  }
  object["serial"] = certificate ? json::value(certificate->serial.text()) : nullptr;
  object["not_before"] = certificate ? time_or_null(certificate->not_before) : nullptr;
  object["not_after"] = certificate ? time_or_null(certificate->not_after) : nullptr;
  object["names"] = std::move(names);
  object["vault"] = std::move(vault);
  object["targets"] = std::move(targets);
  object["served"] = std::move(served);
  const bool revoking = certificate && certificate->revocation_reason;
  object["revoked_at"] = certificate ? time_or_null(certificate->revoked_at) : nullptr;
  object["revocation_reason"] =
      revoking ? json::value(to_string(*certificate->revocation_reason)) : nullptr;
  object["error"] = report.error ? json::value(to_json(*report.error)) : nullptr;
  return object;
}

std::string to_text(const Report& report) { return json::serialize(to_json(report)); }

Result<json::object> parse_report(std::string_view text) {
  boost::system::error_code failure;
  auto value = json::parse(text, failure);
  if (failure || !value.is_object()) {
    return fail(Error::Kind::rejected, "read a result", "the stored result is no JSON object");
  }
  return std::move(value.as_object());
}

}  // namespace certherd::fleet
