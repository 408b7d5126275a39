#include "model/certificate_name.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace certherd {
namespace {

using testing::HasSubstr;

std::string fault(std::string_view text) {
  const auto name = parse_certificate_name(text);
  if (name) return "accepted as " + name->text();
  EXPECT_EQ(name.error().kind, Error::Kind::misconfigured);
  return name.error().message();
}

TEST(CertificateName, TakesNamesInEitherForm) {
  EXPECT_EQ(parse_certificate_name("WWW.Bücher.Example.")->text(), "www.xn--bcher-kva.example");
  EXPECT_EQ(parse_certificate_name("xn--bcher-kva.example")->text(), "xn--bcher-kva.example");
  EXPECT_EQ(parse_certificate_name("*.bücher.example")->text(), "*.xn--bcher-kva.example");
  EXPECT_TRUE(parse_certificate_name("a.b.c.d.e.f.g.h.i.example"));
  EXPECT_TRUE(parse_certificate_name("a-b.x--y.example"));
  EXPECT_TRUE(parse_certificate_name("xn--ls8h.example"));  // an emoji: left to the CA
}

TEST(CertificateName, NamesTheRuleThatIsBroken) {
  EXPECT_THAT(fault("localhost"), HasSubstr("\"localhost\": it has one label"));
  EXPECT_THAT(fault("*.com"), HasSubstr("two labels behind it"));
  EXPECT_THAT(fault("a.b.c.d.e.f.g.h.i.j.example"), HasSubstr("11 labels"));
  EXPECT_THAT(fault("*.b.c.d.e.f.g.h.i.j.example"), HasSubstr("11 labels"));
  EXPECT_THAT(fault("my_host.example"), HasSubstr("label \"my_host\" has an underscore"));
  EXPECT_THAT(fault("www.ab--cd.example"), HasSubstr("third and fourth place"));
  EXPECT_THAT(fault("*.www.*.example"), HasSubstr("wildcard"));
  EXPECT_THAT(fault("www.*.example"), HasSubstr("wildcard"));
  EXPECT_THAT(fault(std::string(64, 'a') + ".example"), HasSubstr("longer than 63"));
  EXPECT_THAT(fault("a." + std::string(300, 'a')), HasSubstr("longer than 253"));
}

TEST(CertificateName, RefusesALabelsThatAreNone) {
  EXPECT_THAT(fault("xn--.example"), HasSubstr("hyphen"));
  EXPECT_THAT(fault("xn--zzzz999999999.example"), HasSubstr("no valid IDN"));
  EXPECT_THAT(fault("xn--fass-foo.example"), HasSubstr("no valid IDN"));
  EXPECT_THAT(fault("xn--Fa-hia.example"), HasSubstr("accepted as xn--fa-hia.example"));
}

TEST(CertificateName, RefusesUnicodeThatIsNoIdn) {
  EXPECT_THAT(fault("💩.example"), HasSubstr("no valid IDN"));
  EXPECT_THAT(fault("a_ü.example"), HasSubstr("underscore"));
  EXPECT_THAT(fault("ab--ü.example"), HasSubstr("no valid IDN"));
}

}  // namespace
}  // namespace certherd
