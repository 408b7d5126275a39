#include "sim/aws_signature.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cctype>
#include <chrono>
#include <string_view>
#include <utility>
#include <vector>

namespace certherd::sim {
namespace {

constexpr std::chrono::minutes most_skew(5);  // AWS API reference, "Signature Version 4"

/// An error by its names in XML and in JSON.
struct Refusal {
  int xml_status;
  std::string_view xml_code;
  std::string_view json_code;
};
constexpr Refusal no_authorization{403, "MissingAuthenticationToken",
                                   "MissingAuthenticationTokenException"};
constexpr Refusal incomplete{400, "IncompleteSignature", "IncompleteSignatureException"};
constexpr Refusal unknown_key{403, "InvalidClientTokenId", "UnrecognizedClientException"};
constexpr Refusal wrong_signature{403, "SignatureDoesNotMatch", "InvalidSignatureException"};

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

std::vector<std::string> all(const http::Request& request, std::string_view lower_name) {
  std::vector<std::string> values;
  for (const auto& [name, value] : request.headers) {
    if (lower(name) == lower_name) values.push_back(value);
  }
  return values;
}

std::optional<std::string> only(const http::Request& request, std::string_view lower_name) {
  auto values = all(request, lower_name);
  if (values.size() != 1) return std::nullopt;
  return std::move(values.front());
}

/// The value of "NAME=" in an Authorization header, up to the next comma.
std::string part(std::string_view authorization, std::string_view name) {
  const auto begin = authorization.find(name);
  if (begin == std::string_view::npos) return {};
  const auto rest = authorization.substr(begin + name.size());
  return std::string(rest.substr(0, rest.find(',')));
}

/// Whether `joined` names exactly Host and what the request has besides Authorization.
bool names_all_headers(const http::Request& request, const std::string& joined) {
  std::vector<std::string> names = {"host"};
  for (const auto& [name, value] : request.headers) {
    if (lower(name) != "authorization" && lower(name) != "host") names.push_back(lower(name));
  }
  std::ranges::sort(names);
  const auto repeated = std::ranges::unique(names);
  names.erase(repeated.begin(), repeated.end());
  std::string wanted;
  for (const auto& name : names) wanted += (wanted.empty() ? "" : ";") + name;
  return joined == wanted;
}

/// X-Amz-Date as a time.
std::optional<Time> read_date(const std::string& text) {
  if (text.size() != 16) return std::nullopt;
  return parse_time(fmt::format("{}-{}-{}T{}:{}:{}Z", text.substr(0, 4), text.substr(4, 2),
                                text.substr(6, 2), text.substr(9, 2), text.substr(11, 2),
                                text.substr(13, 2)));
}

struct Fault {
  Refusal refusal;
  std::string message;
};

std::optional<Fault> fault_in(const http::Request& request, const aws::Credentials& credentials,
                              const aws::SigningScope& scope, Time server_now,
                              aws::SigningKey& key) {
  const auto authorizations = all(request, "authorization");
  if (authorizations.empty()) return Fault{no_authorization, "Missing Authentication Token"};
  const auto& authorization = authorizations.front();
  const auto date = only(request, "x-amz-date");
  const auto mark = part(authorization, "Signature=");
  const auto signed_headers = part(authorization, "SignedHeaders=");
  const bool whole = authorizations.size() == 1 && authorization.starts_with("AWS4-HMAC-SHA256 ") &&
                     date && read_date(*date) && !mark.empty() &&
                     names_all_headers(request, signed_headers);
  if (!whole) {
    return Fault{incomplete,
                 "Authorization header requires 'Credential' parameter, 'Signature' "
                 "parameter, 'SignedHeaders' parameter and one X-Amz-Date."};
  }
  const auto credential = part(authorization, "Credential=");
  const auto slash = credential.find('/');
  const bool same_token = credentials.session_token ? only(request, "x-amz-security-token") ==
                                                          credentials.session_token->reveal()
                                                    : all(request, "x-amz-security-token").empty();
  if (credential.substr(0, slash) != credentials.access_key_id || !same_token) {
    return Fault{unknown_key, "The security token included in the request is invalid."};
  }
  const auto wanted_scope =
      fmt::format("/{}/{}/{}/aws4_request", date->substr(0, 8), scope.region, scope.service);
  if (slash == std::string::npos || credential.substr(slash) != wanted_scope) {
    return Fault{wrong_signature,
                 "Credential should be scoped to a valid region, service and day."};
  }
  if (std::chrono::abs(*read_date(*date) - server_now) > most_skew) {
    const auto* words = *read_date(*date) < server_now ? "Signature expired: {} is now earlier than"
                                                       : "Signature not yet current: {} is still "
                                                         "later than";
    return Fault{wrong_signature, fmt::format(fmt::runtime(words), *date) + " " +
                                      aws::amz_date(server_now) + " (5 min.)"};
  }
  const auto canonical = aws::canonical_request(request, signed_headers);
  const auto right = aws::signature(credentials, scope, *date, canonical, key);
  if (mark != right) {
    return Fault{wrong_signature,
                 "The request signature we calculated does not match the signature you provided. "
                 "Check your AWS Secret Access Key and signing method."};
  }
  return std::nullopt;
}

}  // namespace

std::optional<http::Response> refuse_bad_signature(const http::Request& request,
                                                   const aws::Credentials& credentials,
                                                   const aws::SigningScope& scope, Time server_now,
                                                   bool xml, aws::SigningKey& key) {
  const auto fault = fault_in(request, credentials, scope, server_now, key);
  if (!fault) return std::nullopt;
  http::Response response;
  response.headers = {{"date", http_date(server_now)}};
  if (xml) {
    response.status = fault->refusal.xml_status;
    response.headers.emplace_back("content-type", "text/xml");
    response.body = fmt::format(
        "<?xml version=\"1.0\"?>\n<ErrorResponse><Error><Type>Sender</Type><Code>{}</Code>"
        "<Message>{}</Message></Error><RequestId>1</RequestId></ErrorResponse>",
        fault->refusal.xml_code, fault->message);
  } else {
    response.status = 400;
    response.headers.emplace_back("content-type", "application/x-amz-json-1.1");
    response.body = boost::json::serialize(
        boost::json::object{{"__type", fault->refusal.json_code}, {"message", fault->message}});
  }
  return response;
}

std::string http_date(Time time) {
  constexpr std::array months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  constexpr std::array weekdays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - day));
  return fmt::format(
      "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
      weekdays.at(std::chrono::weekday(day).c_encoding()), static_cast<unsigned>(date.day()),
      months.at(static_cast<unsigned>(date.month()) - 1), static_cast<int>(date.year()),
      clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

}  // namespace certherd::sim
