#include "acme/nonce_pool.hpp"

#include <gtest/gtest.h>

namespace certherd::acme {
namespace {

http::Response with_nonce(std::string nonce) {
  http::Response response;
  response.headers.emplace_back("replay-nonce", std::move(nonce));
  return response;
}

TEST(NonceOf, IgnoresWhatIsNotBase64url) {
  EXPECT_EQ(nonce_of(with_nonce("aB-_9")), "aB-_9");
  for (const auto* bad : {"", "a b", "a=", "a+b", "a/b", "\"a\"", "a\r\nb"}) {
    EXPECT_FALSE(nonce_of(with_nonce(bad))) << bad;
  }
  EXPECT_FALSE(nonce_of(with_nonce(std::string(257, 'a'))));
  EXPECT_FALSE(nonce_of(http::Response{}));
}

TEST(NoncePool, GivesEachNonceOnceTheFreshestFirst) {
  NoncePool pool;
  pool.put("old");
  pool.put("new");
  EXPECT_EQ(pool.take(), "new");
  EXPECT_EQ(pool.take(), "old");
  EXPECT_FALSE(pool.take());
}

TEST(NoncePool, ForgetsTheOldestWhenItIsFull) {
  NoncePool pool;
  for (std::size_t i = 0; i <= NoncePool::capacity; ++i) pool.put(std::to_string(i));
  std::optional<std::string> last;
  std::size_t count = 0;
  while (auto nonce = pool.take()) {
    last = nonce;
    ++count;
  }
  EXPECT_EQ(count, NoncePool::capacity);
  EXPECT_EQ(last, "1");
}

}  // namespace
}  // namespace certherd::acme
