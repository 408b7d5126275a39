#include "base/result.hpp"

#include <array>
#include <span>
#include <string_view>

#include "base/utf8.hpp"

namespace certherd {
namespace {

constexpr std::array<std::pair<Error::Kind, std::string_view>, 8> kind_names = {{
    {Error::Kind::transient, "transient"},
    {Error::Kind::throttled, "throttled"},
    {Error::Kind::denied, "denied"},
    {Error::Kind::not_found, "not_found"},
    {Error::Kind::conflict, "conflict"},
    {Error::Kind::rejected, "rejected"},
    {Error::Kind::misconfigured, "misconfigured"},
    {Error::Kind::deadline, "deadline"},
}};

}  // namespace

Error Error::during(std::string_view step) && {
  op = op.empty() ? std::string(step) : std::string(step) + ": " + op;
  return std::move(*this);
}

Error Error::during(std::string_view step) const& { return Error(*this).during(step); }

std::string Error::message() const {
  std::string text = cleaned(op);
  const auto add = [&text](std::string_view separator, std::string_view words) {
    if (words.empty()) return;
    if (!text.empty()) text += separator;
    text += words;
  };
  add(": ", cleaned(detail));
  if (problem) {
    if (detail.find(problem->detail) == std::string::npos) add(" - ", cleaned(problem->detail));
    // Where there are causes, they tell of each part already.
    const auto parts =
        causes.empty() ? std::span(problem->subproblems) : std::span<const Problem::Subproblem>();
    for (const auto& sub : parts) {
      add("; ", cleaned(sub.identifier));
      add(": ", cleaned(sub.detail));
    }
  }
  for (const auto& cause : causes) add("; ", cause.message());
  return text;
}

bool Error::operator==(const Error& other) const {
  const bool same_problem =
      problem && other.problem ? *problem == *other.problem : problem == other.problem;
  return kind == other.kind && op == other.op && detail == other.detail &&
         retry_at == other.retry_at && same_problem && causes == other.causes;
}

std::string_view to_string(Error::Kind kind) {
  for (const auto& [value, name] : kind_names) {
    if (value == kind) return name;
  }
  return "transient";
}

std::optional<Error::Kind> parse_error_kind(std::string_view text) {
  for (const auto& [value, name] : kind_names) {
    if (name == text) return value;
  }
  return std::nullopt;
}

}  // namespace certherd
