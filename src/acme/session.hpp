#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "acme/nonce_pool.hpp"
#include "base/result.hpp"
#include "crypto/private_key.hpp"
#include "http/client.hpp"
#include "model/identifiers.hpp"
#include "runtime/clock.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/offload.hpp"
#include "runtime/slots.hpp"
#include "runtime/task.hpp"

namespace certherd::acme {

/// One signed request.
struct Post {
  std::string url;
  std::string payload{};  ///< JSON; empty makes a POST-as-GET (RFC 8555 section 6.3)
  std::string accept = "application/json";
  /// Signs by itself, as `jwk` (RFC 8555 section 6.2); nothing: the account key does, as `kid`.
  std::optional<crypto::PrivateKey> key{};
};

/// The requests of one account: signatures, nonces, and errors out of anything but success. Owned
/// by the client; any number of requests at once.
class Session {
 public:
  /// A server that refuses half of all nonces (Pebble can) gets past this once in 2^30 requests.
  static constexpr int most_bad_nonces = 30;

  /// At most `requests_at_once` are under way at one time; the others wait in line, and their
  /// `timeout` begins when they are sent.
  Session(http::Client& http, runtime::EventLoop& loop, runtime::Offload& offload,
          crypto::PrivateKey key, Duration timeout, std::size_t requests_at_once);

  /// Where fresh nonces come from; before any post().
  void use_new_nonce(std::string url) { new_nonce_ = std::move(url); }
  void use_account(AccountUrl url) { account_ = std::move(url); }
  const AccountUrl& account() const { return account_; }
  /// From now on the account signs with this key.
  void use_key(crypto::PrivateKey key) { key_ = std::move(key); }
  const crypto::PrivateKey& key() const { return key_; }
  Time now() const { return clock_.now(); }

  /// Unsigned. Any status but 2xx is an error.
  Task<Result<http::Response>> get(std::string url);

  /// Signed; badNonce is tried again within the one deadline of the whole exchange. Any status
  /// but 2xx is an error.
  Task<Result<http::Response>> post(Post post);

  /// A flattened JWS; RSA is done off the loop. Errors: rejected.
  Task<Result<std::string>> sign(crypto::PrivateKey key, std::string protected_header,
                                 std::string payload);

 private:
  Task<Result<std::string>> fresh_nonce(Time deadline);
  Task<Result<std::string>> sign(const Post& post, const std::string& nonce);

  http::Client& http_;
  runtime::Clock& clock_;
  runtime::Offload& offload_;
  runtime::Slots slots_;
  crypto::PrivateKey key_;
  Duration timeout_;
  AccountUrl account_;
  std::string new_nonce_;
  NoncePool nonces_;
};

}  // namespace certherd::acme
