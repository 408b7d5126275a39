#include "app/discovery.hpp"

#include <gmock/gmock.h>

namespace certherd::app {
namespace {

using testing::HasSubstr;

dns::Zone zone(std::string_view name, std::string_view id = "Z1") {
  return {.id = ZoneId(std::string(id)), .name = Fqdn::literal(name)};
}

store::DomainRow known(std::string_view name, std::vector<Fqdn> names = {}) {
  store::DomainRow row;
  row.domain.name = Fqdn::literal(name);
  row.domain.names = std::move(names);
  return row;
}

TEST(Discovery, ProposesTheApexOfEachZoneWithItsId) {
  const auto found = discover({zone("a.example", "ZA"), zone("b.example", "ZB")}, {},
                              {.dns = DnsName("aws"), .wildcard = true});
  ASSERT_EQ(found.proposed.size(), 2);
  EXPECT_EQ(found.proposed[1].name.text(), "b.example");
  EXPECT_EQ(found.proposed[1].zone_id, ZoneId("ZB"));
  EXPECT_EQ(found.proposed[1].dns, DnsName("aws"));
  ASSERT_EQ(found.proposed[1].names.size(), 1);
  EXPECT_EQ(found.proposed[1].names[0].text(), "*.b.example");
}

TEST(Discovery, PassesOverWhatIsThereAlreadyAndWhatNoCertificateNames) {
  const auto found =
      discover({zone("2.0.192.in-addr.arpa"), zone("a.example"), zone("b.example"), zone("com"),
                zone("_tcp.example.com"), zone("new.example")},
               {known("a.example"), known("other.example", {Fqdn::literal("b.example")})}, {});
  ASSERT_EQ(found.proposed.size(), 1);
  EXPECT_EQ(found.proposed[0].name.text(), "new.example");
  ASSERT_EQ(found.passed_over.size(), 5);
  EXPECT_THAT(found.passed_over[0].reason, HasSubstr("addresses"));
  EXPECT_THAT(found.passed_over[1].reason, HasSubstr("already"));
  EXPECT_THAT(found.passed_over[2].reason, HasSubstr("already"));
}

}  // namespace
}  // namespace certherd::app
