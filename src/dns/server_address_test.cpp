#include <gtest/gtest.h>

#include "dns/visibility.hpp"

namespace certherd::dns {
namespace {

ServerAddress parsed(std::string_view text) {
  auto address = ServerAddress::parse(text, 53);
  EXPECT_TRUE(address.has_value()) << text;
  return address.value_or(ServerAddress{});
}

TEST(ServerAddress, ReadsAddressesWithAndWithoutPort) {
  EXPECT_EQ(parsed("192.0.2.1"), (ServerAddress{"192.0.2.1", 53}));
  EXPECT_EQ(parsed("192.0.2.1:5353"), (ServerAddress{"192.0.2.1", 5353}));
  EXPECT_EQ(parsed("192.0.2.1:0"), (ServerAddress{"192.0.2.1", 0}));
  EXPECT_EQ(parsed("2001:db8::1"), (ServerAddress{"2001:db8::1", 53}));
  EXPECT_EQ(parsed("[2001:db8::1]"), (ServerAddress{"2001:db8::1", 53}));
  EXPECT_EQ(parsed("[2001:DB8:0::1]:54"), (ServerAddress{"2001:db8::1", 54}));
}

TEST(ServerAddress, WritesWhatItReads) {
  EXPECT_EQ(parsed("192.0.2.1").text(), "192.0.2.1:53");
  EXPECT_EQ(parsed("2001:db8::1").text(), "[2001:db8::1]:53");
}

TEST(ServerAddress, RefusesWhatIsNoAddressAndSaysHowToWriteOne) {
  for (const auto* text : {"", ":53", "example.com", "example.com:53", "192.0.2.1:", "192.0.2.1:x",
                           "192.0.2.1:65536", "192.0.2.1:-1", "192.0.2.1:53 ", "[::1", "[::1]53",
                           "[::1]:", "[192.0.2.1]:53", "1.2.3", "1:2:3"}) {
    const auto address = ServerAddress::parse(text, 53);
    ASSERT_FALSE(address.has_value()) << text;
    EXPECT_EQ(address.error().kind, Error::Kind::misconfigured);
    EXPECT_NE(address.error().detail.find("192.0.2.1:53"), std::string::npos);
  }
}

TEST(View, NamesOnlyTheServersThatDoNotShowIt) {
  const View view{.everywhere = false,
                  .sightings = {{"a (192.0.2.1:53, UDP)", true, ""},
                                {"b (192.0.2.2:53, UDP)", false, "SERVFAIL"},
                                {"b (192.0.2.2:53, TCP)", false, "timeout"}}};
  EXPECT_EQ(view.missing(), "b (192.0.2.2:53, UDP): SERVFAIL; b (192.0.2.2:53, TCP): timeout");
}

}  // namespace
}  // namespace certherd::dns
