#include "deploy/fastly/failure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>

#include "base/utf8.hpp"

namespace certherd::deploy::fastly {
namespace {

namespace json = boost::json;
using Kind = Error::Kind;

// The hour of a budget ends sooner; who asks for more is not believed, since certificates run out
// meanwhile.
constexpr auto longest_wait = std::chrono::hours(24);

constexpr int unauthorized = 401;
constexpr int forbidden = 403;
constexpr int not_found = 404;
constexpr int request_timeout = 408;
constexpr int too_many_requests = 429;
constexpr int server_error = 500;

std::string text_in(const json::object& object, std::string_view name) {
  const auto* const value = object.if_contains(name);
  const auto* const text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? std::string() : std::string(*text);
}

void add(std::string* words, const std::string& more, std::string_view separator) {
  if (more.empty() || words->find(more) != std::string::npos) return;
  if (!words->empty()) *words += separator;
  *words += more;
}

std::string words_of(const json::object& object) {
  std::string words;
  for (const auto* name : {"title", "msg", "detail"}) add(&words, text_in(object, name), ": ");
  return words;
}

/// A private key or the token must not get into an error or a log.
bool shows_secret(const std::string& words, const Secret<std::string>& token) {
  return words.find("PRIVATE KEY") != std::string::npos ||
         (!token.empty() && words.find(token.reveal()) != std::string::npos);
}

std::string words_of(const http::Response& response, const Secret<std::string>& token) {
  json::error_code code;
  const auto value = json::parse(response.body, code);
  const auto* const object = code ? nullptr : value.if_object();
  if (object == nullptr) return {};
  auto words = words_of(*object);
  const auto* const list = object->if_contains("errors");
  const auto* const errors = list == nullptr ? nullptr : list->if_array();
  if (errors != nullptr) {
    for (const auto& each : *errors) {
      if (const auto* const error = each.if_object()) add(&words, words_of(*error), "; ");
      if (const auto* const text = each.if_string()) add(&words, std::string(*text), "; ");
    }
  }
  if (shows_secret(words, token))
    return "its words repeat what was sent, and are left out for that";
  return cleaned(words);
}

}  // namespace

std::optional<Time> budget_reset(const http::Response& response, Time now) {
  const auto text = response.header("fastly-ratelimit-reset");
  if (!text) return std::nullopt;
  std::int64_t seconds = 0;
  const auto [end, failure] = std::from_chars(text->data(), text->data() + text->size(), seconds);
  // Clocks differ, by less than an hour.
  constexpr std::chrono::hours furthest(2);
  const auto from = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  const auto to = from + std::chrono::seconds(furthest).count();
  if (failure != std::errc{} || end != text->data() + text->size() || seconds <= from ||
      seconds > to) {
    return std::nullopt;
  }
  return Time(std::chrono::seconds(seconds));
}

Error read_failure(std::string op, const http::Response& response, const Secret<std::string>& token,
                   const std::string& token_source, Time now) {
  Error error;
  error.op = std::move(op);
  const auto words = words_of(response, token);
  error.detail =
      fmt::format("Fastly answered {}{}{}", response.status, words.empty() ? "" : ": ", words);
  switch (response.status) {
    case unauthorized:
      error.kind = Kind::denied;
      error.detail += fmt::format(
          " (the token of {} is not valid: make another one in Fastly's "
          "account settings)",
          token_source);
      break;
    case forbidden:
      error.kind = Kind::denied;
      error.detail += fmt::format(
          " (the token of {} needs the scope global, and its user the right "
          "to manage TLS)",
          token_source);
      break;
    case not_found:
      error.kind = Kind::not_found;
      break;
    case request_timeout:
      error.kind = Kind::transient;
      break;
    case too_many_requests:
      error.kind = Kind::throttled;
      error.retry_at = budget_reset(response, now);
      if (!error.retry_at) error.retry_at = http::retry_after(response, now);
      error.retry_at =
          std::min(error.retry_at.value_or(now + std::chrono::minutes(1)), now + longest_wait);
      break;
    default:
      error.kind = response.status >= server_error ? Kind::transient : Kind::misconfigured;
  }
  return error;
}

bool is_refusal(const Error& error) { return error.kind == Kind::misconfigured; }

}  // namespace certherd::deploy::fastly
