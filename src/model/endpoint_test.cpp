#include "model/endpoint.hpp"

#include <gtest/gtest.h>

namespace certherd {
namespace {

TEST(EndpointParse, FillsInThePort) {
  const auto endpoint = Endpoint::parse("WWW.example.com");
  ASSERT_TRUE(endpoint);
  EXPECT_EQ(endpoint->host.text(), "www.example.com");
  EXPECT_EQ(endpoint->port, 443);
  EXPECT_TRUE(endpoint->address.empty());
}

TEST(EndpointParse, ReadsPortAndAddress) {
  const auto endpoint = Endpoint::parse("www.example.com:8443@192.0.2.7");
  ASSERT_TRUE(endpoint);
  EXPECT_EQ(endpoint->port, 8443);
  EXPECT_EQ(endpoint->address, "192.0.2.7");
}

TEST(EndpointParse, TakesAnIpv6AddressWithAndWithoutBrackets) {
  for (const auto* text : {"a.example@2001:db8::1", "a.example@[2001:db8::1]"}) {
    const auto endpoint = Endpoint::parse(text);
    ASSERT_TRUE(endpoint) << text;
    EXPECT_EQ(endpoint->address, "2001:db8::1");
  }
}

TEST(EndpointParse, RefusesWhatCannotBeConnectedTo) {
  for (const auto* text :
       {"", ":443", "@192.0.2.1", "a.example:", "a.example:0", "a.example:65536", "a.example:+1",
        "a.example:x", "a.example:443:443", "a.example@", "a.example@host", "a.example@[192.0.2.1]",
        "a.example@[2001:db8::1", "a.example@192.0.2.1:443", "*.example", "192.0.2.1:443",
        "[2001:db8::1]:443", "a.example@192.0.2.1@192.0.2.2"}) {
    const auto endpoint = Endpoint::parse(text);
    ASSERT_FALSE(endpoint) << text;
    EXPECT_EQ(endpoint.error().kind, Error::Kind::misconfigured);
  }
  EXPECT_FALSE(Endpoint::parse(std::string_view("a.example@192.0.2.1\0x", 21)));
}

TEST(EndpointText, IsReadBackToTheSameEndpoint) {
  for (const auto* text : {"a.example", "a.example:8443", "a.example@192.0.2.1",
                           "a.example:8443@192.0.2.1", "a.example:8443@[2001:db8::1]"}) {
    const auto endpoint = Endpoint::parse(text);
    ASSERT_TRUE(endpoint) << text;
    EXPECT_EQ(endpoint->text(), text);
    EXPECT_EQ(Endpoint::parse(endpoint->text()), endpoint);
  }
  EXPECT_EQ(Endpoint::parse("a.example:443")->text(), "a.example");
}

}  // namespace
}  // namespace certherd
