#include "dns/responder/rate_limit.hpp"

#include <algorithm>

namespace certherd::dns::responder {
namespace {

constexpr std::size_t bucket_count = 16'384;
constexpr std::size_t ipv4_network_octets = 3;  // /24
constexpr std::size_t ipv6_network_octets = 7;  // /56

// The finalizer of SplitMix64: each bit of the input moves about half of those of the output.
std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27U)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31U);
}

template <typename Octets>
std::uint64_t network_number(const Octets& octets, std::size_t count) {
  std::uint64_t number = count;
  for (std::size_t i = 0; i < count; ++i) number = (number << 8U) | octets.at(i);
  return number;
}

std::uint64_t network_of(const boost::asio::ip::address& client) {
  return client.is_v4() ? network_number(client.to_v4().to_bytes(), ipv4_network_octets)
                        : network_number(client.to_v6().to_bytes(), ipv6_network_octets);
}

}  // namespace

RateLimiter::RateLimiter(int per_second, std::uint64_t seed)
    : rate_(per_second), seed_(seed), buckets_(bucket_count) {}

RateLimiter::Verdict RateLimiter::judge(const boost::asio::ip::address& client, Time now) {
  if (rate_ <= 0) return Verdict::answer;
  Bucket& bucket = buckets_[mix(network_of(client) ^ seed_) % buckets_.size()];

  const auto since = std::chrono::duration<double>(now - bucket.filled).count();
  // A clock that was set back must not take tokens away.
  bucket.tokens = std::min(rate_, bucket.tokens + std::max(0.0, since) * rate_);
  bucket.filled = now;
  if (bucket.tokens >= 1) {
    bucket.tokens -= 1;
    return Verdict::answer;
  }
  bucket.truncate_next = !bucket.truncate_next;
  return bucket.truncate_next ? Verdict::drop : Verdict::truncate;
}

}  // namespace certherd::dns::responder
