#include "model/fqdn.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace certherd {
namespace {

using testing::HasSubstr;

std::string parsed(std::string_view text) {
  auto name = Fqdn::parse(text);
  return name ? name->text() : "error: " + name.error().message();
}

std::string fault(std::string_view text) {
  auto name = Fqdn::parse(text);
  if (name) return "accepted as " + name->text();
  EXPECT_EQ(name.error().kind, Error::Kind::misconfigured);
  return name.error().message();
}

TEST(FqdnParse, LowersCaseAndDropsOneTrailingDot) {
  EXPECT_EQ(parsed("WWW.Example.COM."), "www.example.com");
  EXPECT_EQ(parsed("com"), "com");
  EXPECT_THAT(fault("example.com.."), HasSubstr("empty label"));
}

TEST(FqdnParse, ConvertsUnicodeToALabels) {
  EXPECT_EQ(parsed("Bücher.example"), "xn--bcher-kva.example");
  EXPECT_EQ(parsed("*.bücher.example"), "*.xn--bcher-kva.example");
  EXPECT_EQ(parsed("_acme-challenge.bücher.example."), "_acme-challenge.xn--bcher-kva.example");
  EXPECT_EQ(parsed("例え。テスト"), "xn--r8jz45g.xn--zckzah");
}

// UTS #46 section 4: the transitional mapping would make this fass.example, another owner's name.
TEST(FqdnParse, IsNonTransitional) { EXPECT_EQ(parsed("faß.example"), "xn--fa-hia.example"); }

TEST(FqdnParse, ComposesBeforeItConverts) {
  EXPECT_EQ(parsed("bu\xcc\x88"
                   "cher.example"),
            "xn--bcher-kva.example");
}

TEST(FqdnParse, KeepsALabelsAndAsciiThatIdnaWouldRefuse) {
  EXPECT_EQ(parsed("xn--bcher-kva.example"), "xn--bcher-kva.example");
  EXPECT_EQ(parsed("ab--cd.example"), "ab--cd.example");
  EXPECT_EQ(parsed("_dmarc._tcp.example"), "_dmarc._tcp.example");
}

TEST(FqdnParse, AllowsAWildcardOnlyAsTheWholeFirstLabel) {
  EXPECT_EQ(parsed("*.Example.com"), "*.example.com");
  for (const auto* text : {"*", "*.", "**.example.com", "a*.example.com", "a.*.example.com",
                           "*.*.example.com", "*example.com"}) {
    EXPECT_FALSE(Fqdn::parse(text)) << text;
  }
}

TEST(FqdnParse, HoldsToTheLengthsOfDns) {
  const std::string label(63, 'a');
  EXPECT_TRUE(Fqdn::parse(label + ".example"));
  EXPECT_THAT(fault(label + "a.example"), HasSubstr("longer than 63"));

  const std::string name = label + "." + label + "." + label + "." + std::string(61, 'b');
  ASSERT_EQ(name.size(), 253U);
  EXPECT_TRUE(Fqdn::parse(name));
  EXPECT_TRUE(Fqdn::parse(name + "."));
  EXPECT_THAT(fault(name + "b"), HasSubstr("longer than 253"));
  EXPECT_THAT(fault("*." + name), HasSubstr("longer than 253"));
}

TEST(FqdnParse, SaysWhatIsWrongWithWhichLabel) {
  EXPECT_THAT(fault("www.exa mple.com"), HasSubstr("label \"exa mple\""));
  EXPECT_THAT(fault("-a.example"), HasSubstr("begin or end with a hyphen"));
  EXPECT_THAT(fault("a-.example"), HasSubstr("begin or end with a hyphen"));
  EXPECT_THAT(fault("a..example"), HasSubstr("empty label"));
  EXPECT_THAT(fault("192.0.2.1"), HasSubstr("address"));
}

TEST(FqdnParse, RefusesHostileInputWithoutEchoingIt) {
  EXPECT_FALSE(Fqdn::parse(""));
  EXPECT_FALSE(Fqdn::parse("."));
  EXPECT_FALSE(Fqdn::parse(std::string_view("a\0b.example", 11)));
  EXPECT_FALSE(Fqdn::parse(std::string_view("ü\0b.example", 12)));
  EXPECT_FALSE(Fqdn::parse("\xff\xfe.example"));
  EXPECT_FALSE(Fqdn::parse("a/../b.example"));
  EXPECT_LT(fault(std::string(1'000'000, 'a')).size(), 300U);
  EXPECT_LT(fault("ü" + std::string(1'000'000, 'a')).size(), 300U);
  EXPECT_EQ(fault("a\nb.example").find('\n'), std::string::npos);
}

TEST(FqdnLiteral, ThrowsForADefect) {
  EXPECT_EQ(Fqdn::literal("example.com").text(), "example.com");
  EXPECT_THROW(Fqdn::literal("not a name"), std::logic_error);
}

TEST(FqdnParts, WildcardParentAndChallengeName) {
  const Fqdn wildcard = Fqdn::literal("*.example.com");
  EXPECT_TRUE(wildcard.is_wildcard());
  EXPECT_EQ(wildcard.without_wildcard().text(), "example.com");
  EXPECT_EQ(wildcard.challenge_name().text(), "_acme-challenge.example.com");
  EXPECT_EQ(wildcard.parent().text(), "example.com");
  EXPECT_EQ(Fqdn::literal("www.example.com").challenge_name().text(),
            "_acme-challenge.www.example.com");
  EXPECT_TRUE(Fqdn::literal("com").parent().empty());
  EXPECT_TRUE(Fqdn().parent().empty());
}

TEST(FqdnIsWithin, CountsWholeLabels) {
  const Fqdn zone = Fqdn::literal("example.com");
  EXPECT_TRUE(zone.is_within(zone));
  EXPECT_TRUE(Fqdn::literal("a.b.example.com").is_within(zone));
  EXPECT_FALSE(Fqdn::literal("badexample.com").is_within(zone));
  EXPECT_FALSE(Fqdn::literal("com").is_within(zone));
  EXPECT_FALSE(zone.is_within(Fqdn()));
}

TEST(FqdnCovers, AWildcardStandsForExactlyOneLabel) {
  const Fqdn wildcard = Fqdn::literal("*.example.com");
  EXPECT_TRUE(wildcard.covers(Fqdn::literal("www.example.com")));
  EXPECT_TRUE(wildcard.covers(wildcard));
  EXPECT_FALSE(wildcard.covers(Fqdn::literal("example.com")));
  EXPECT_FALSE(wildcard.covers(Fqdn::literal("a.b.example.com")));
  EXPECT_FALSE(wildcard.covers(Fqdn::literal("www.example.org")));

  EXPECT_TRUE(Fqdn::literal("example.com").covers(Fqdn::literal("example.com")));
  EXPECT_FALSE(Fqdn::literal("example.com").covers(Fqdn::literal("www.example.com")));
  EXPECT_FALSE(Fqdn().covers(Fqdn()));
}

TEST(FqdnOrder, IsThatOfTheText) {
  EXPECT_LT(Fqdn::literal("a.example"), Fqdn::literal("b.example"));
  EXPECT_EQ(fmt::format("{}", Fqdn::literal("a.example")), "a.example");
}

}  // namespace
}  // namespace certherd
