#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <vector>

#include "base/time.hpp"

namespace certherd::dns::responder {

/// Response rate limiting: a token bucket per client network, so that forged questions cannot
/// turn this server into a weapon against the network they seem to come from. The table never
/// grows: networks that fall into one slot share its rate, by a seed that nobody outside knows.
class RateLimiter {
 public:
  enum class Verdict { answer, truncate, drop };

  /// `per_second` of 0 lets everything through.
  RateLimiter(int per_second, std::uint64_t seed);

  Verdict judge(const boost::asio::ip::address& client, Time now);

 private:
  struct Bucket {
    Time filled;  // tokens as of then
    double tokens = 0;
    bool truncate_next = true;
  };

  double rate_;
  std::uint64_t seed_;
  std::vector<Bucket> buckets_;
};

}  // namespace certherd::dns::responder
