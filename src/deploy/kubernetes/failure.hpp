#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "base/result.hpp"
#include "http/client.hpp"

namespace certherd::deploy::kubernetes {

/// Why a call has failed.
struct Failure {
  Error error;
  /// Somebody has changed the object since it was looked at: looking again may help.
  bool look_again = false;
};

template <typename T>
using Answer = tl::expected<T, Failure>;

/// What was called, for the words of a failure.
struct Called {
  std::string op;         ///< "PATCH Secret web/example.com-tls"
  std::string on_denied;  ///< what to do when it is forbidden
  std::string namespace_;
};

/// What an answer that is no success means. The Status in its body (Kubernetes API reference,
/// "Status") is told in its own words, unless they show what was sent.
///
/// No kind here is `rejected`: the next certificate would fare the same.
Failure explained(const http::Response& response, const Called& called, Time now);

/// What to do without the right to `verb` Secrets: words with the rule of a Role.
std::string role_to_add(std::string_view verb, std::string_view namespace_);

}  // namespace certherd::deploy::kubernetes
