#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "http/curl_transfer.hpp"

namespace certherd::http {
namespace {

Error make_error(Error::Kind kind, std::string op, std::string detail) {
  return fail(kind, std::move(op), std::move(detail)).value();
}

}  // namespace

Error CurlTransfer::to_error(CURLcode code) const {
  const auto error = [this](Error::Kind kind, std::string detail) {
    return make_error(kind, name_, std::move(detail));
  };
  if (!too_large_.empty()) return error(Error::Kind::rejected, too_large_);
  const std::string_view words = words_.data();
  const std::string_view known = words.empty() ? curl_easy_strerror(code) : words;
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return error(Error::Kind::transient, fmt::format("could not resolve host {}", address_.host));
    case CURLE_COULDNT_RESOLVE_PROXY:
      return error(Error::Kind::transient, "could not resolve the host of the proxy");
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_SSL_CONNECT_ERROR:
      return connection_error();
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
      return tls_error();
    case CURLE_OUT_OF_MEMORY:  // what libcurl says of a header line over its own limit
      return error(Error::Kind::rejected, "a line of the answer's header is too long");
    case CURLE_SSL_CACERT_BADFILE:
      return error(Error::Kind::misconfigured,
                   fmt::format("the trusted roots cannot be read: {}", known));
    case CURLE_SSL_CERTPROBLEM:
      return error(Error::Kind::misconfigured,
                   fmt::format("the client certificate or its key cannot be used: {}", known));
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
      return error(Error::Kind::rejected,
                   fmt::format("{} does not speak HTTP: {}", address_.host_and_port(), known));
    case CURLE_URL_MALFORMAT:
    case CURLE_BAD_FUNCTION_ARGUMENT:
      return error(Error::Kind::misconfigured, std::string(known));
    default:
      // Broken off in some way: got nothing, partial file, send and receive errors, HTTP/2's.
      return error(Error::Kind::transient, fmt::format("the connection to {} broke off: {}",
                                                       address_.host_and_port(), known));
  }
}

Error CurlTransfer::connection_error() const {
  const std::string to = address_.host_and_port();
  const std::string_view words = words_.data();
  long error_number = 0;
  curl_easy_getinfo(easy(), CURLINFO_OS_ERRNO, &error_number);
  if (*code_ == CURLE_OPERATION_TIMEDOUT) {
    return make_error(Error::Kind::transient, name_,
                      fmt::format("no connection to {} in time", to));
  }
  if (*code_ == CURLE_SSL_CONNECT_ERROR) {
    const bool broke_off = error_number != 0 || words.find("SYSCALL") != std::string_view::npos ||
                           words.find("unexpected eof") != std::string_view::npos;
    return make_error(broke_off ? Error::Kind::transient : Error::Kind::rejected, name_,
                      fmt::format("no TLS with {}: {}", to, words));
  }
  if (error_number == ECONNREFUSED) {
    return make_error(Error::Kind::transient, name_, fmt::format("connection refused by {}", to));
  }
  const std::string why = error_number != 0
                              ? std::string(std::strerror(static_cast<int>(error_number)))
                              : std::string(words);
  return make_error(Error::Kind::transient, name_, fmt::format("no connection to {}: {}", to, why));
}

Error CurlTransfer::tls_error() const {
  std::string_view reason = words_.data();
  for (const std::string_view prefix : {"SSL certificate problem: ", "SSL: "}) {
    if (reason.starts_with(prefix)) reason.remove_prefix(prefix.size());
  }
  const auto has = [reason](std::string_view words) {
    return reason.find(words) != std::string_view::npos;
  };
  std::string remedy = "a private CA's root is added by `trust`";
  if (has("not yet valid") || has("expired")) {
    // As often as not it is the reader of a certificate whose time is wrong.
    remedy = fmt::format("the clock of this machine says {}: set it if that is wrong",
                         format_time(clock_.now()));
  } else if (has("does not match") || has("no alternative certificate subject name")) {
    remedy = "it is another server's: check the host in the URL";
  }
  return make_error(Error::Kind::rejected, name_,
                    fmt::format("the TLS certificate of {} is not trusted: {} ({})",
                                address_.host_and_port(), reason, remedy));
}

}  // namespace certherd::http
