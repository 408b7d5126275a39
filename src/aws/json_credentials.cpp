#include "aws/json_credentials.hpp"

#include <boost/json.hpp>
#include <utility>

namespace certherd::aws {
namespace {

namespace json = boost::json;

json::object object_in(const std::string& text) {
  boost::system::error_code error;
  auto value = json::parse(text, error);
  if (error || !value.is_object()) return {};
  return std::move(value.get_object());
}

std::string member(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  if (value == nullptr) return {};
  if (value->is_string()) return std::string(value->get_string());
  return value->is_int64() ? std::to_string(value->get_int64()) : std::string();
}

}  // namespace

std::optional<Credentials> read_json_credentials(const std::string& text,
                                                 std::string_view token_name) {
  const auto object = object_in(text);
  Credentials credentials;
  credentials.access_key_id = member(object, "AccessKeyId");
  credentials.secret_access_key = Secret<std::string>(member(object, "SecretAccessKey"));
  if (auto token = member(object, token_name); !token.empty()) {
    credentials.session_token = Secret<std::string>(std::move(token));
  }
  const auto expiration = member(object, "Expiration");
  if (!expiration.empty()) credentials.expires_at = parse_time(expiration);
  const bool whole = !credentials.access_key_id.empty() && !credentials.secret_access_key.empty() &&
                     (expiration.empty() || credentials.expires_at);
  if (!whole) return std::nullopt;
  return credentials;
}

std::string json_member(const std::string& text, std::string_view name) {
  return member(object_in(text), name);
}

}  // namespace certherd::aws
