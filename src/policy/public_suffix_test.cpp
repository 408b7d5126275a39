#include "policy/public_suffix.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace certherd::policy {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

std::string why(std::string_view name) { return not_public_because(Fqdn::literal(name)); }

TEST(PublicSuffix, LetsPublicNamesPass) {
  EXPECT_THAT(why("example.com"), IsEmpty());
  EXPECT_THAT(why("*.example.com"), IsEmpty());
  EXPECT_THAT(why("www.example.co.uk"), IsEmpty());
  EXPECT_THAT(why("xn--e1afmkfd.xn--p1ai"), IsEmpty());
  EXPECT_THAT(why("me.github.io"), IsEmpty());
  EXPECT_THAT(why("github.io"), IsEmpty());  // a suffix in the private part only
}

TEST(PublicSuffix, SaysWhyTheOthersAreRefused) {
  EXPECT_THAT(why("co.uk"), HasSubstr("a public suffix itself"));
  EXPECT_THAT(why("*.co.uk"), HasSubstr("directly below the public suffix co.uk"));
  EXPECT_THAT(why("printer.corp"), HasSubstr("under no public suffix"));
  EXPECT_THAT(why("site.fleet.test"), HasSubstr("under no public suffix"));
  EXPECT_THAT(why("1.0.0.127.in-addr.arpa"), HasSubstr("in-addr.arpa"));
}

TEST(PublicSuffix, KnowsTheRegisteredDomain) {
  const auto of = [](std::string_view name) {
    return registered_domain(Fqdn::literal(name)).text();
  };
  EXPECT_EQ(of("example.com"), "example.com");
  EXPECT_EQ(of("*.shop.example.co.uk"), "example.co.uk");
  EXPECT_EQ(of("blog.me.github.io"), "me.github.io");
  EXPECT_EQ(of("co.uk"), "co.uk");
  EXPECT_EQ(of("www.fleet.test"), "fleet.test");
}

}  // namespace
}  // namespace certherd::policy
