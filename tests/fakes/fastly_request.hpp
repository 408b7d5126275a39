#pragma once

#include <boost/json/object.hpp>
#include <map>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "http/client.hpp"

namespace certherd::fakes::fastly {

enum class Kind { key, certificate, activation, domain, configuration, bulk_certificate };

/// A request that keeps to the rules of the API.
struct Asked {
  http::Request::Method method = http::Request::Method::get;
  std::string origin;  ///< "https://api.fastly.com"
  std::string path;    ///< of the collection
  Kind kind = Kind::key;
  std::string id;                                 ///< empty when it is about the collection
  std::map<std::string, std::string> parameters;  ///< decoded
  boost::json::object attributes;
  boost::json::object relationships;

  bool is_read() const;
  /// Empty when there is none.
  std::string parameter(const std::string& name) const;
  std::string attribute(std::string_view name) const;
  /// The id of what a relationship to one object names; empty when there is none.
  std::string related(std::string_view name) const;
  /// The same for a relationship to several.
  std::vector<std::string> all_related(std::string_view name) const;
};

std::string_view name_of(http::Request::Method method);

/// Path and query of a request's URL.
std::string target_of(const http::Request& request);

/// Errors: what no caller of the API may do.
tl::expected<Asked, std::string> read_request(const http::Request& request);

/// The header of that lower-case name; null unless there is exactly one.
const std::string* only_header(const http::Request& request, std::string_view name);

}  // namespace certherd::fakes::fastly
