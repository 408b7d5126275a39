#include "aws/failure.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <chrono>
#include <optional>
#include <pugixml.hpp>
#include <utility>

#include "base/utf8.hpp"

namespace certherd::aws {
namespace {

namespace json = boost::json;
using Kind = Error::Kind;

// A change batch of Route 53 holds at most 1,000 changes, each with one message.
constexpr std::size_t most_messages = 1000;

// How long to leave a service alone that throttles without a Retry-After: by then the buckets of
// Route 53 (AWS API reference: 5 or 10 a second, 50 at most) are full again.
constexpr auto unsaid_wait = std::chrono::seconds(20);

// Who asks for a longer wait is not believed, since certificates run out meanwhile.
constexpr auto longest_wait = std::chrono::hours(24);

// The SDKs' standard mode (botocore retries/standard.py), but for PriorRequestNotComplete, which is
// about one zone and not about the account.
constexpr std::array<std::string_view, 13> throttling_codes = {
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "TooManyRequestsException",
    "ProvisionedThroughputExceededException",
    "TransactionInProgressException",
    "RequestLimitExceeded",
    "BandwidthLimitExceeded",
    "LimitExceededException",
    "SlowDown",
    "EC2ThrottledException",
};

struct Meaning {
  std::string_view code;
  Kind kind;
  std::string_view remedy;  ///< what a person can do about it, where the service does not say
};

constexpr std::string_view renew_keys = "renew them where they come from";
constexpr std::string_view other_keys = "check the access key and its secret";
constexpr std::string_view set_clock = "set the clock of this machine";

// AWS API reference, common errors, in the spellings of query, REST-XML and JSON services.
constexpr std::array meanings = {
    Meaning{"AccessDenied", Kind::denied, "let its policy allow that action"},
    Meaning{"AccessDeniedException", Kind::denied, "let its policy allow that action"},
    Meaning{"AuthFailure", Kind::denied, other_keys},
    Meaning{"ExpiredToken", Kind::denied, renew_keys},
    Meaning{"ExpiredTokenException", Kind::denied, renew_keys},
    Meaning{"IDPCommunicationError", Kind::transient, ""},
    Meaning{"IncompleteSignature", Kind::denied, other_keys},
    Meaning{"IncompleteSignatureException", Kind::denied, other_keys},
    Meaning{"InternalError", Kind::transient, ""},
    Meaning{"InternalFailure", Kind::transient, ""},
    Meaning{"InternalServerError", Kind::transient, ""},
    Meaning{"InternalServiceError", Kind::transient, ""},
    Meaning{"InternalServiceErrorException", Kind::transient, ""},
    Meaning{"InvalidAccessKeyId", Kind::denied, other_keys},
    Meaning{"InvalidClientTokenId", Kind::denied, other_keys},
    Meaning{"InvalidSignatureException", Kind::denied, other_keys},
    Meaning{"MissingAuthenticationToken", Kind::denied, other_keys},
    Meaning{"MissingAuthenticationTokenException", Kind::denied, other_keys},
    Meaning{"NotAuthorized", Kind::denied, "let its policy allow that action"},
    Meaning{"NotAuthorizedException", Kind::denied, "let its policy allow that action"},
    Meaning{"OptInRequired", Kind::denied, "sign the account up for the service"},
    Meaning{"PriorRequestNotComplete", Kind::transient, ""},
    Meaning{"RequestExpired", Kind::denied, set_clock},
    Meaning{"RequestInTheFuture", Kind::denied, set_clock},
    Meaning{"RequestTimeTooSkewed", Kind::denied, set_clock},
    Meaning{"RequestTimeout", Kind::transient, ""},
    Meaning{"RequestTimeoutException", Kind::transient, ""},
    Meaning{"ServiceUnavailable", Kind::transient, ""},
    Meaning{"ServiceUnavailableException", Kind::transient, ""},
    Meaning{"SignatureDoesNotMatch", Kind::denied, other_keys},
    Meaning{"UnauthorizedOperation", Kind::denied, "let its policy allow that action"},
    Meaning{"UnrecognizedClientException", Kind::denied, other_keys},
};

const Meaning* meaning_of(std::string_view code) {
  const auto* found = std::ranges::find(meanings, code, &Meaning::code);
  return found == meanings.end() ? nullptr : found;
}

Kind kind_of_status(int status) {
  switch (status) {
    case 401:
    case 403:
      return Kind::denied;
    case 408:
      return Kind::transient;
    case 429:
      return Kind::throttled;
    case 501:
    case 505:
      return Kind::rejected;
    default:
      if (status >= 300 && status < 400) return Kind::misconfigured;
      return status >= 500 ? Kind::transient : Kind::rejected;
  }
}

/// Splits "[first, second]", as Route 53 writes several messages into one: at commas outside of
/// brackets, and only where the next word begins like a sentence.
std::vector<std::string> split_messages(std::string_view text) {
  const bool is_list = text.size() >= 2 && text.starts_with('[') && text.ends_with(']');
  if (!is_list) return {std::string(text)};
  text = text.substr(1, text.size() - 2);
  std::vector<std::string> messages;
  int depth = 0;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '[') ++depth;
    if (text[i] == ']') --depth;
    const bool between = depth == 0 && text.substr(i, 2) == ", " && i + 2 < text.size() &&
                         text[i + 2] >= 'A' && text[i + 2] <= 'Z';
    if (!between || messages.size() + 1 == most_messages) continue;
    messages.emplace_back(text.substr(begin, i - begin));
    begin = i + 2;
  }
  messages.emplace_back(text.substr(begin));
  return messages;
}

/// What a service says is wrong.
struct Words {
  std::string code;
  std::vector<std::string> messages;
};

bool is_named(const pugi::xml_node& node, std::string_view name) {
  std::string_view own = node.name();
  if (const auto colon = own.find(':'); colon != std::string_view::npos) {
    own.remove_prefix(colon + 1);
  }
  return own == name;
}

pugi::xml_node child_of(const pugi::xml_node& node, std::string_view name) {
  return node.find_child([name](const pugi::xml_node& child) { return is_named(child, name); });
}

std::vector<std::string> messages_in(const pugi::xml_node& node) {
  std::vector<std::string> messages;
  for (const auto& child : child_of(node, "Messages").children()) {
    if (is_named(child, "Message") && messages.size() < most_messages) {
      messages.emplace_back(child.child_value());
    }
  }
  if (messages.empty()) {
    const std::string_view text = child_of(node, "Message").child_value();
    if (!text.empty()) messages = split_messages(text);
  }
  return messages;
}

std::optional<Words> words_in_xml(const std::string& body) {
  pugi::xml_document document;
  if (!document.load_buffer(body.data(), body.size())) return std::nullopt;
  const auto root = document.document_element();
  if (is_named(root, "InvalidChangeBatch")) return Words{"InvalidChangeBatch", messages_in(root)};
  const auto errors = child_of(root, "Errors");
  const auto error = child_of(errors ? errors : root, "Error");
  if (!error) return std::nullopt;
  return Words{child_of(error, "Code").child_value(), messages_in(error)};
}

std::string text_of(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  if (value == nullptr || !value->is_string()) return {};
  return std::string(value->get_string());
}

std::optional<Words> words_in_json(const std::string& body) {
  boost::system::error_code error;
  const auto value = json::parse(body, error);
  if (error || !value.is_object()) return std::nullopt;
  const auto& object = value.get_object();
  Words words;
  words.code = text_of(object, "__type");
  if (words.code.empty()) words.code = text_of(object, "code");
  auto message = text_of(object, "message");
  if (message.empty()) message = text_of(object, "Message");
  if (!message.empty()) words.messages.push_back(std::move(message));
  return words;
}

/// "com.amazonaws.secretsmanager#ResourceNotFoundException" and
/// "ResourceNotFoundException:http://…" are the same as "ResourceNotFoundException".
std::string bare_code(std::string_view code) {
  code = code.substr(0, code.find(':'));
  if (const auto prefix = code.rfind('#'); prefix != std::string_view::npos) {
    code.remove_prefix(prefix + 1);
  }
  return cleaned(code);
}

Words words_of(const http::Response& response) {
  const auto first = response.body.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
  const char letter = first == std::string::npos ? '\0' : response.body[first];
  std::optional<Words> words;
  if (letter == '<') words = words_in_xml(response.body);
  if (letter == '{') words = words_in_json(response.body);
  if (!words) words.emplace();
  if (words->code.empty()) words->code = response.header("x-amzn-errortype").value_or("");
  words->code = bare_code(words->code);
  for (auto& message : words->messages) message = cleaned(message);
  return std::move(*words);
}

/// What to say of an answer in which no service of AWS speaks.
std::string words_for_status(const http::Response& response) {
  const auto elsewhere = response.header("location");
  if (response.status >= 300 && response.status < 400) {
    return fmt::format(
        "the server leads on to {}, and signed calls follow no redirect: correct the endpoint",
        elsewhere ? cleaned(*elsewhere) : "nowhere");
  }
  const auto type = response.header("content-type").value_or("no content");
  return fmt::format("the server answered {} with {} instead of an error of AWS", response.status,
                     cleaned(type));
}

}  // namespace

bool is_throttling(std::string_view code) {
  return std::ranges::find(throttling_codes, code) != throttling_codes.end();
}

Failure read_failure(std::string op, const http::Response& response, Time now) {
  Failure failure;
  auto words = words_of(response);
  failure.status = response.status;
  failure.code = std::move(words.code);
  failure.messages = std::move(words.messages);

  Error& error = failure.error;
  error.op = std::move(op);
  const auto* meaning = meaning_of(failure.code);
  error.kind = is_throttling(failure.code) ? Kind::throttled
               : meaning != nullptr        ? meaning->kind
                                           : kind_of_status(response.status);
  if (failure.code.empty()) {
    error.detail = words_for_status(response);
  } else if (failure.messages.empty()) {
    error.detail = failure.code;
  } else {
    error.detail = cleaned(fmt::format("{}: {}", failure.code, fmt::join(failure.messages, "; ")));
  }
  if (meaning != nullptr && !meaning->remedy.empty()) {
    error.detail += fmt::format(" ({})", meaning->remedy);
  }

  error.retry_at = http::retry_after(response, now);
  if (error.retry_at) error.retry_at = std::min(*error.retry_at, now + longest_wait);
  if (error.kind == Kind::throttled && !error.retry_at) error.retry_at = now + unsaid_wait;
  return failure;
}

}  // namespace certherd::aws
