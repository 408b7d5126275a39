#include "acme/object_reader.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "acme/content_type.hpp"
#include "acme/urls.hpp"

namespace certherd::acme {
namespace {

namespace json = boost::json;

const json::array no_elements;

}  // namespace

Result<json::object> parse_object(const http::Response& response, std::string_view what) {
  const auto op = fmt::format("read {}", what);
  const auto type = content_type(response);
  if (type != "application/json" && type != "application/problem+json") {
    // Load balancers show web pages in times of trouble; anything else is no ACME server.
    const auto kind = type == "text/html" ? Error::Kind::transient : Error::Kind::rejected;
    return fail(kind, op,
                fmt::format("the server answered {} with {} instead of JSON", response.status,
                            type.empty() ? "no content type" : type));
  }
  boost::system::error_code error;
  auto value = json::parse(response.body, error);
  if (error == json::error::incomplete) {
    return fail(Error::Kind::transient, op,
                fmt::format("the answer is cut off after {} bytes", response.body.size()));
  }
  if (error) {
    return fail(Error::Kind::rejected, op,
                fmt::format("the answer is not JSON: {}", error.message()));
  }
  if (!value.is_object()) {
    return fail(Error::Kind::rejected, op, "the answer is JSON but not an object");
  }
  return std::move(value.get_object());
}

std::optional<std::string_view> as_text(const json::value& value) {
  if (!value.is_string()) return std::nullopt;
  return std::string_view(value.get_string());
}

const json::value* ObjectReader::find(std::string_view name) const {
  const auto* value = object_.if_contains(name);
  return value == nullptr || value->is_null() ? nullptr : value;
}

void ObjectReader::fault(std::string_view fault) {
  if (fault_.empty()) fault_ = fmt::format("the CA's {} {}", what_, fault);
}

Status ObjectReader::status() const {
  if (fault_.empty()) return {};
  return fail(Error::Kind::rejected, fmt::format("read {}", what_), fault_);
}

std::string ObjectReader::text(std::string_view name) {
  auto value = optional_text(name);
  if (value.empty()) fault(fmt::format("has no \"{}\"", name));
  return value;
}

std::string ObjectReader::optional_text(std::string_view name) {
  const auto* value = find(name);
  if (value == nullptr) return {};
  const auto text = as_text(*value);
  if (!text) fault(fmt::format("has a \"{}\" that is no string", name));
  return std::string(text.value_or(""));
}

std::string ObjectReader::url(std::string_view name) {
  auto value = optional_url(name);
  if (value.empty()) fault(fmt::format("has no \"{}\"", name));
  return value;
}

std::string ObjectReader::optional_url(std::string_view name) {
  auto value = optional_text(name);
  if (value.empty()) return value;
  if (auto checked = check_url(value); !checked) {
    fault(fmt::format("has a bad \"{}\": {}", name, checked.error().detail));
  }
  return value;
}

bool ObjectReader::flag(std::string_view name) {
  const auto* value = find(name);
  if (value == nullptr) return false;
  if (!value->is_bool()) fault(fmt::format("has a \"{}\" that is neither true nor false", name));
  return value->is_bool() && value->get_bool();
}

std::optional<Time> ObjectReader::time(std::string_view name) {
  const auto text = optional_text(name);
  if (text.empty()) return std::nullopt;
  auto time = parse_time(text);
  if (!time) fault(fmt::format("has a \"{}\" that is no time of RFC 3339", name));
  return time;
}

std::vector<std::string> ObjectReader::texts(std::string_view name, std::size_t limit) {
  std::vector<std::string> values;
  if (find(name) == nullptr) return values;
  for (const auto& element : array(name, limit)) {
    const auto text = as_text(element);
    if (!text) fault(fmt::format("has something in \"{}\" that is no string", name));
    values.emplace_back(text.value_or(""));
  }
  return values;
}

const json::array& ObjectReader::array(std::string_view name, std::size_t limit) {
  const auto* value = find(name);
  if (value == nullptr) {
    fault(fmt::format("has no \"{}\"", name));
    return no_elements;
  }
  if (!value->is_array()) {
    fault(fmt::format("has a \"{}\" that is no array", name));
    return no_elements;
  }
  const auto& elements = value->get_array();
  if (elements.size() > limit) {
    fault(fmt::format("has {} elements in \"{}\", more than {}", elements.size(), name, limit));
    return no_elements;
  }
  return elements;
}

const json::object* ObjectReader::optional_object(std::string_view name) {
  const auto* value = find(name);
  if (value == nullptr) return nullptr;
  if (!value->is_object()) fault(fmt::format("has a \"{}\" that is no object", name));
  return value->if_object();
}

}  // namespace certherd::acme
