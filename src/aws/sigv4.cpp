#include "aws/sigv4.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <utility>
#include <vector>

#include "base/time.hpp"
#include "crypto/encoding.hpp"
#include "http/method.hpp"

namespace certherd::aws {
namespace {

constexpr std::string_view algorithm = "AWS4-HMAC-SHA256";

/// The parts of a URL that are signed, as they go over the wire.
struct Parts {
  std::string_view host;  ///< with its port, unless that is the scheme's own
  std::string_view path;
  std::string_view query;
};

Parts parts_of(std::string_view url) {
  Parts parts;
  const auto scheme_end = url.find("://");
  const auto scheme = url.substr(0, scheme_end);
  auto rest = scheme_end == std::string_view::npos ? url : url.substr(scheme_end + 3);
  rest = rest.substr(0, rest.find('#'));
  const auto query = rest.find('?');
  if (query != std::string_view::npos) {
    parts.query = rest.substr(query + 1);
    rest = rest.substr(0, query);
  }
  const auto path = rest.find('/');
  parts.host = rest.substr(0, path);
  if (path != std::string_view::npos) parts.path = rest.substr(path);
  const std::string_view own_port = scheme == "http" ? ":80" : ":443";
  if (parts.host.ends_with(own_port)) parts.host.remove_suffix(own_port.size());
  return parts;
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

/// Without spaces around it, and with one where there are several.
std::string trimmed(std::string_view value) {
  std::string result;
  for (const char c : value) {
    const bool space = c == ' ' || c == '\t';
    if (!space) {
      result += c;
    } else if (!result.empty() && !result.ends_with(' ')) {
      result += ' ';
    }
  }
  if (result.ends_with(' ')) result.pop_back();
  return result;
}

/// What is in the URL is encoded a second time: all services but S3 want it so.
std::string canonical_path(std::string_view path) {
  std::string result;
  for (const char c : path) result += c == '/' ? "/" : uri_encode({&c, 1});
  return result.empty() ? "/" : result;
}

std::string canonical_query(std::string_view query) {
  std::vector<std::pair<std::string_view, std::string_view>> parameters;
  while (!query.empty()) {
    const auto end = query.find('&');
    const auto parameter = query.substr(0, end);
    const auto equals = parameter.find('=');
    const auto value =
        equals == std::string_view::npos ? std::string_view() : parameter.substr(equals + 1);
    if (!parameter.empty()) parameters.emplace_back(parameter.substr(0, equals), value);
    query = end == std::string_view::npos ? std::string_view() : query.substr(end + 1);
  }
  std::ranges::sort(parameters);
  std::string result;
  for (const auto& [name, value] : parameters) {
    if (!result.empty()) result += '&';
    result.append(name).append("=").append(value);
  }
  return result;
}

std::string scope_text(const SigningScope& scope, std::string_view date) {
  return std::string(date.substr(0, 8)) + "/" + scope.region + "/" + scope.service +
         "/aws4_request";
}

}  // namespace

std::string uri_encode(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string result;
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    const bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == '~';
    if (plain) {
      result += c;
    } else {
      result.append({'%', digits[octet >> 4U], digits[octet & 0xFU]});
    }
  }
  return result;
}

std::string amz_date(Time time) {
  std::string text = format_time(time);
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text;
}

std::string canonical_request(const http::Request& request, std::string_view signed_headers) {
  const auto parts = parts_of(request.url);
  std::map<std::string, std::string> values;
  for (const auto& [name, value] : request.headers) {
    auto& joined = values[lower(name)];
    if (!joined.empty()) joined += ',';
    joined += trimmed(value);
  }
  values["host"] = parts.host;

  std::string text(to_string(request.method));
  text.append("\n").append(canonical_path(parts.path)).append("\n");
  text.append(canonical_query(parts.query)).append("\n");
  for (auto rest = signed_headers; !rest.empty();) {
    const auto end = rest.find(';');
    const std::string name(rest.substr(0, end));
    text.append(name).append(":").append(values[name]).append("\n");
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  }
  text.append("\n").append(signed_headers).append("\n");
  return text + crypto::hex(crypto::sha256(request.body));
}

const Secret<std::string>& SigningKey::of(const Credentials& credentials, const SigningScope& scope,
                                          std::string_view day) {
  auto wanted = scope_text(scope, day);
  const auto& secret = credentials.secret_access_key;
  if (wanted == scope_ && secret.reveal() == secret_.reveal()) return key_;
  const Secret<std::string> start("AWS4" + secret.reveal());
  Secret<std::string> key(crypto::hmac("SHA256", start.reveal(), day));
  for (const std::string_view part :
       {std::string_view(scope.region), std::string_view(scope.service),
        std::string_view("aws4_request")}) {
    key = Secret<std::string>(crypto::hmac("SHA256", key.reveal(), part));
  }
  key_ = std::move(key);
  secret_ = secret;
  scope_ = std::move(wanted);
  return key_;
}

std::string signature(const Credentials& credentials, const SigningScope& scope,
                      std::string_view date, std::string_view canonical, SigningKey& key) {
  std::string to_sign(algorithm);
  to_sign.append("\n").append(date).append("\n").append(scope_text(scope, date));
  to_sign.append("\n").append(crypto::hex(crypto::sha256(canonical)));
  const auto& signing = key.of(credentials, scope, date.substr(0, 8));
  return crypto::hex(crypto::hmac("SHA256", signing.reveal(), to_sign));
}

void sign(http::Request* request, const Credentials& credentials, const SigningScope& scope,
          Time now, SigningKey& key) {
  const auto date = amz_date(now);
  request->headers.emplace_back("X-Amz-Date", date);
  if (credentials.session_token) {
    request->headers.emplace_back("X-Amz-Security-Token", credentials.session_token->reveal());
  }
  std::vector<std::string> names = {"host"};
  for (const auto& [name, value] : request->headers) names.push_back(lower(name));
  std::ranges::sort(names);
  const auto repeated = std::ranges::unique(names);
  names.erase(repeated.begin(), repeated.end());
  std::string signed_headers;
  for (const auto& name : names) {
    if (!signed_headers.empty()) signed_headers += ';';
    signed_headers += name;
  }
  const auto mark =
      signature(credentials, scope, date, canonical_request(*request, signed_headers), key);
  std::string authorization(algorithm);
  authorization.append(" Credential=").append(credentials.access_key_id).append("/");
  authorization.append(scope_text(scope, date)).append(", SignedHeaders=").append(signed_headers);
  authorization.append(", Signature=").append(mark);
  request->headers.emplace_back("Authorization", std::move(authorization));
}

}  // namespace certherd::aws
