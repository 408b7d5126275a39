#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>

#include "http/client.hpp"

namespace certherd::acme {

/// The Replay-Nonce of an answer; nothing when there is none or it is not base64url, which is to
/// be ignored (RFC 8555 section 6.5.1).
std::optional<std::string> nonce_of(const http::Response& response);

/// Nonces that answers brought, each used once, the freshest first: old ones go stale, and so
/// the pool is small.
class NoncePool {
 public:
  static constexpr std::size_t capacity = 64;

  void put(std::string nonce);
  std::optional<std::string> take();

 private:
  std::deque<std::string> nonces_;
};

}  // namespace certherd::acme
