#include "dns/route53/names.hpp"

#include <gtest/gtest.h>

#include "dns/route53/txt_value.hpp"

namespace certherd::dns::route53 {
namespace {

TEST(Route53Names, AreSpelledWithADotAtTheEndAndOddCharactersInOctal) {
  EXPECT_EQ(spell(Fqdn::literal("_acme-challenge.example.com")), "_acme-challenge.example.com.");
  EXPECT_EQ(spell(Fqdn::literal("*.example.com")), "\\052.example.com.");
}

TEST(Route53Names, AreReadWithOrWithoutDotInAnyCaseAndFromOctal) {
  EXPECT_EQ(read_name("\\052.Example.COM."), Fqdn::literal("*.example.com"));
  EXPECT_EQ(read_name("example.com"), Fqdn::literal("example.com"));
  EXPECT_EQ(read_name("\\137acme-challenge.example.com."),
            Fqdn::literal("_acme-challenge.example.com"));
}

TEST(Route53Names, ThatNoFqdnCanBeAreNotTakenForOthers) {
  // RFC 2317 delegations, a dot inside of a label, octets beyond ASCII, and what is no octal.
  for (const auto* odd :
       {"0\\05725.2.0.192.in-addr.arpa.", "a\\056b.example.com.", "m\\303\\274ller.example.com.",
        "a\\9.example.com.", "a\\47.example.com.", "a\\777.example.com.", "", "."}) {
    EXPECT_EQ(read_name(odd), std::nullopt) << odd;
  }
}

// AWS API reference, ListHostedZonesByName: "com.ec2.www."; a hyphen sorts before the dot.
TEST(Route53Names, AreSortedByTheirLabelsInReverse) {
  EXPECT_EQ(order_key(Fqdn::literal("www.ec2.com")), "com.ec2.www.");
  EXPECT_EQ(order_key(Fqdn()), "");
  EXPECT_LT(order_key(Fqdn::literal("example.com")), order_key(Fqdn::literal("a.example.com")));
  EXPECT_LT(order_key(Fqdn::literal("b-example.com")), order_key(Fqdn::literal("b.com")));
  EXPECT_LT(order_key(Fqdn::literal("example-b.com")), order_key(Fqdn::literal("example.com")));
}

TEST(Route53Names, IdsLoseWhatRepliesPutBeforeThem) {
  EXPECT_EQ(bare_id("/hostedzone/Z1"), "Z1");
  EXPECT_EQ(bare_id("/change/C2682N5HXP0BZ4"), "C2682N5HXP0BZ4");
  EXPECT_EQ(bare_id("Z1"), "Z1");
}

TEST(Route53Values, AreQuotedAndEscaped) {
  EXPECT_EQ(quote(TxtValue("abc-_09")), "\"abc-_09\"");
  EXPECT_EQ(quote(TxtValue("say \"hi\" \\")), R"("say \"hi\" \\")");
  EXPECT_EQ(quote(TxtValue("tab\t\xc3\xbc")), R"("tab\011\303\274")");
  EXPECT_EQ(quote(TxtValue("")), "\"\"");
}

TEST(Route53Values, LongerThanOneStringBecomeSeveral) {
  const TxtValue value(std::string(255, 'a') + "bc");
  EXPECT_EQ(quote(value), "\"" + std::string(255, 'a') + "\" \"bc\"");
  EXPECT_EQ(unquote(quote(value)), value);
}

TEST(Route53Values, AreReadBackWhateverTheirOctets) {
  std::string octets;
  for (int octet = 0; octet < 256; ++octet) octets.push_back(static_cast<char>(octet));
  EXPECT_EQ(unquote(quote(TxtValue(octets))), TxtValue(octets));
}

TEST(Route53Values, OfOthersAreReadHoweverTheyAreWritten) {
  EXPECT_EQ(unquote(R"("v=spf1 " "-all")"), TxtValue("v=spf1 -all"));
  EXPECT_EQ(unquote(R"("\141\"\;")"), TxtValue("a\";"));
}

TEST(Route53Values, AreNotReadFromWhatIsNoQuotedText) {
  for (const auto* text : {"", "abc", "\"open", "\"a\"b", "\"a\" b", "\"a\\", "\"a\"\"b\""}) {
    EXPECT_EQ(unquote(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace certherd::dns::route53
