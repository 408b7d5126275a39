#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "http/client.hpp"

namespace certherd::acme {

/// The JSON object of a successful answer; `what` is for errors, such as "order".
/// Errors: transient (a web page, cut off), rejected (not JSON, not an object).
Result<boost::json::object> parse_object(const http::Response& response, std::string_view what);

/// Reads the members that we need and leaves all others alone, as RFC 8555 section 7.1 asks. The
/// first fault is kept and told once by status(), so that a parser reads like its structure.
class ObjectReader {
 public:
  ObjectReader(const boost::json::object& object, std::string what)
      : object_(object), what_(std::move(what)) {}

  /// A required, non-empty string.
  std::string text(std::string_view name);
  /// Empty when it is absent or null.
  std::string optional_text(std::string_view name);
  /// Both checked by check_url().
  std::string url(std::string_view name);
  std::string optional_url(std::string_view name);
  bool flag(std::string_view name);
  std::optional<Time> time(std::string_view name);
  /// Strings; absent is empty.
  std::vector<std::string> texts(std::string_view name, std::size_t limit);
  /// Never null: a missing or faulty one reads as empty.
  const boost::json::array& array(std::string_view name, std::size_t limit);
  const boost::json::object* optional_object(std::string_view name);

  /// Keeps the first fault: `fault` is the rest of the sentence, such as "has no identifiers".
  void fault(std::string_view fault);

  /// Nothing, or rejected with the first fault.
  Status status() const;

 private:
  const boost::json::value* find(std::string_view name) const;

  const boost::json::object& object_;
  std::string what_;
  std::string fault_;
};

/// The text of a value, or nothing when it is no string.
std::optional<std::string_view> as_text(const boost::json::value& value);

}  // namespace certherd::acme
