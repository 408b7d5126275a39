#include "deploy/kubernetes/members.hpp"

#include <algorithm>
#include <boost/json.hpp>

namespace certherd::deploy::kubernetes {

namespace json = boost::json;

std::string text_in(const json::object& object, std::string_view name) {
  const auto* const value = object.if_contains(name);
  const auto* const text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? std::string() : std::string(*text);
}

Secret<std::string> take_secret(json::object& object, std::string_view name) {
  Secret<std::string> secret(text_in(object, name));
  if (!secret.empty()) std::ranges::fill(object.at(name).get_string(), '\0');
  return secret;
}

const json::object* object_in(const json::object& object, std::string_view name) {
  const auto* const value = object.if_contains(name);
  return value == nullptr ? nullptr : value->if_object();
}

}  // namespace certherd::deploy::kubernetes
