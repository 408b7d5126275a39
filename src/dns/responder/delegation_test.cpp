#include "dns/responder/delegation.hpp"

#include <gtest/gtest.h>

namespace certherd::dns::responder {
namespace {

const Fqdn zone = Fqdn::literal("acme.example.net");

TEST(DelegationLine, LeadsTheChallengeNameIntoTheZone) {
  const auto* line = "_acme-challenge.example.com. CNAME example.com.acme.example.net.";
  EXPECT_EQ(delegation_line(Fqdn::literal("example.com"), zone), line);
  EXPECT_EQ(delegation_line(Fqdn::literal("*.example.com"), zone), line);
  EXPECT_EQ(delegation_line(Fqdn::literal("_acme-challenge.example.com"), zone), line);
}

TEST(DelegationLine, GivesALongNameAShortLabelOfItsOwn) {
  const std::string label(60, 'a');
  const auto name = Fqdn::literal(label + "." + label + "." + label + ".example.com");
  const auto other = Fqdn::literal(label + "." + label + "." + label + ".example.org");
  const Fqdn far = Fqdn::literal(label + ".acme.example.net");
  const auto line = delegation_line(name, far);

  const auto target = line.substr(line.find(" CNAME ") + 7);
  EXPECT_LE(target.size(), 254);
  EXPECT_TRUE(target.ends_with("." + far.text() + "."));
  EXPECT_NE(target, delegation_line(other, far).substr(line.find(" CNAME ") + 7));
}

}  // namespace
}  // namespace certherd::dns::responder
