#include "acme/nonce_pool.hpp"

#include <utility>

#include "acme/token.hpp"

namespace certherd::acme {

std::optional<std::string> nonce_of(const http::Response& response) {
  const auto value = response.header("replay-nonce");
  if (!value || !is_token(*value)) return std::nullopt;
  return std::string(*value);
}

void NoncePool::put(std::string nonce) {
  if (nonces_.size() == capacity) nonces_.pop_front();
  nonces_.push_back(std::move(nonce));
}

std::optional<std::string> NoncePool::take() {
  if (nonces_.empty()) return std::nullopt;
  auto nonce = std::move(nonces_.back());
  nonces_.pop_back();
  return nonce;
}

}  // namespace certherd::acme
