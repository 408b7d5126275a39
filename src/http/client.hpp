#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "runtime/task.hpp"

namespace certherd::http {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Request {
  enum class Method { get, head, post, put, patch, delete_ };
  Method method = Method::get;
  std::string url;
  Headers headers;
  std::string body;
};

struct Response {
  int status = 0;
  Headers headers;  ///< names in lower case, in the order in which they came
  std::string body;

  /// The first header of that lower-case name; nothing when there is none.
  std::optional<std::string_view> header(std::string_view name) const;
  /// All values of that lower-case name.
  std::vector<std::string_view> all(std::string_view name) const;
};

/// Speaks HTTPS with connections that are kept; HTTP only to what check_url() takes for this
/// machine.
class Client {
 public:
  virtual ~Client() = default;

  /// One exchange: any status is a success. Redirects are not followed, and what may have reached
  /// the server is not sent again, unless its method allows that. Bodies over the client's
  /// limit are refused. Errors: transient (no connection, broken off), deadline, rejected (TLS
  /// not trusted, too large, not HTTP), misconfigured (the URL).
  virtual Task<Result<Response>> send(Request request, Time deadline) = 0;
};

/// When a Retry-After says to come back (RFC 9110 section 10.2.3): seconds or an HTTP date, which
/// is held against the answer's own Date if it has one; never before `now`, nor a century later.
std::optional<Time> retry_after(const Response& response, Time now);

/// Reads an HTTP date of the preferred form (RFC 9110 section 5.6.7).
std::optional<Time> parse_http_date(std::string_view text);

}  // namespace certherd::http
