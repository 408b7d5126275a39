#include "dns/route53/xml.hpp"

#include <gtest/gtest.h>

namespace certherd::dns::route53 {
namespace {

// The replies have the form of the examples of the AWS API reference.

TEST(Route53Xml, ReadsAPageOfHostedZonesByName) {
  const auto page = read_zone_page(R"(<?xml version="1.0" encoding="UTF-8"?>
<ListHostedZonesByNameResponse xmlns="https://route53.amazonaws.com/doc/2013-04-01/">
  <HostedZones>
    <HostedZone><Id>/hostedzone/Z111</Id><Name>example.com.</Name>
      <CallerReference>1</CallerReference>
      <Config><Comment>mine</Comment><PrivateZone>false</PrivateZone></Config>
      <ResourceRecordSetCount>42</ResourceRecordSetCount></HostedZone>
    <HostedZone><Id>/hostedzone/Z222</Id><Name>example.com.</Name>
      <Config><PrivateZone>true</PrivateZone></Config></HostedZone>
  </HostedZones>
  <DNSName>example.com.</DNSName>
  <IsTruncated>true</IsTruncated>
  <NextDNSName>example2.com.</NextDNSName><NextHostedZoneId>Z333</NextHostedZoneId>
  <MaxItems>2</MaxItems>
</ListHostedZonesByNameResponse>)");
  ASSERT_TRUE(page) << page.error().message();
  ASSERT_EQ(page->zones.size(), 2);
  EXPECT_EQ(page->zones[0].id, ZoneId("Z111"));
  EXPECT_EQ(page->zones[0].name, "example.com.");
  EXPECT_FALSE(page->zones[0].is_private);
  EXPECT_TRUE(page->zones[1].is_private);
  EXPECT_TRUE(page->truncated);
  EXPECT_EQ(page->next_name, "example2.com.");
  EXPECT_EQ(page->next_id, "Z333");
}

TEST(Route53Xml, ReadsAPageOfHostedZones) {
  const auto page = read_zone_page(
      "<ListHostedZonesResponse><HostedZones/><IsTruncated>true</IsTruncated>"
      "<NextMarker>Z9</NextMarker><MaxItems>1</MaxItems></ListHostedZonesResponse>");
  ASSERT_TRUE(page) << page.error().message();
  EXPECT_TRUE(page->zones.empty());
  EXPECT_EQ(page->next_marker, "Z9");
}

TEST(Route53Xml, ReadsRecordSetsAndTellsThoseThatAreNotSimple) {
  const auto page = read_record_page(R"(<ListResourceRecordSetsResponse><ResourceRecordSets>
<ResourceRecordSet><Name>a.example.com.</Name><Type>TXT</Type><TTL>300</TTL><ResourceRecords>
 <ResourceRecord><Value>"one &amp; two"</Value></ResourceRecord>
 <ResourceRecord><Value>"three"</Value></ResourceRecord></ResourceRecords></ResourceRecordSet>
<ResourceRecordSet><Name>b.example.com.</Name><Type>TXT</Type><SetIdentifier>eu</SetIdentifier>
 <Weight>1</Weight><TTL>60</TTL><ResourceRecords/></ResourceRecordSet>
<ResourceRecordSet><Name>c.example.com.</Name><Type>A</Type><AliasTarget/></ResourceRecordSet>
</ResourceRecordSets><IsTruncated>true</IsTruncated><NextRecordName>d.example.com.</NextRecordName>
<NextRecordType>TXT</NextRecordType></ListResourceRecordSetsResponse>)");
  ASSERT_TRUE(page) << page.error().message();
  ASSERT_EQ(page->sets.size(), 3);
  EXPECT_TRUE(page->sets[0].simple);
  const RecordSet expected{.ttl = 300, .texts = {"\"one & two\"", "\"three\""}};
  EXPECT_EQ(page->sets[0].set, expected);
  EXPECT_FALSE(page->sets[1].simple);
  EXPECT_FALSE(page->sets[2].simple);
  EXPECT_EQ(page->next_name, "d.example.com.");
}

TEST(Route53Xml, ReadsChanges) {
  const auto sent = read_change(
      "<ChangeResourceRecordSetsResponse><ChangeInfo><Id>/change/C1</Id><Status>PENDING</Status>"
      "<SubmittedAt>2026-11-23T12:00:00.000Z</SubmittedAt></ChangeInfo>"
      "</ChangeResourceRecordSetsResponse>");
  ASSERT_TRUE(sent);
  EXPECT_EQ(sent->id, Ticket("C1"));
  EXPECT_EQ(sent->state, ChangeState::pending);
  const auto asked = read_change(
      "<GetChangeResponse><ChangeInfo><Id>C1</Id><Status>INSYNC</Status></ChangeInfo>"
      "</GetChangeResponse>");
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->state, ChangeState::in_sync);
}

TEST(Route53Xml, ReadsNameServersAndThatAPrivateZoneHasNone) {
  const auto servers = read_name_servers(
      "<GetHostedZoneResponse><HostedZone/><DelegationSet><NameServers>"
      "<NameServer>NS-2.awsdns.org.</NameServer><NameServer>ns-1.awsdns.com</NameServer>"
      "</NameServers></DelegationSet></GetHostedZoneResponse>");
  ASSERT_TRUE(servers);
  EXPECT_EQ(*servers,
            (std::vector{Fqdn::literal("ns-1.awsdns.com"), Fqdn::literal("ns-2.awsdns.org")}));
  const auto none =
      read_name_servers("<GetHostedZoneResponse><HostedZone/><VPCs/></GetHostedZoneResponse>");
  ASSERT_TRUE(none);
  EXPECT_TRUE(none->empty());
}

// Each takes only its own reply, and only the whole of it.
TEST(Route53Xml, WhatIsCutOffOrStrangeIsTransient) {
  const std::string whole =
      "<GetChangeResponse><ChangeInfo><Id>C1</Id><Status>INSYNC</Status></ChangeInfo>"
      "</GetChangeResponse>";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto read = read_change(whole.substr(0, size));
    ASSERT_FALSE(read) << size;
    EXPECT_EQ(read.error().kind, Error::Kind::transient);
  }
  EXPECT_EQ(read_zone_page(whole).error().kind, Error::Kind::transient);
  EXPECT_EQ(read_record_page(whole).error().kind, Error::Kind::transient);
  EXPECT_EQ(read_name_servers(whole).error().kind, Error::Kind::transient);
  EXPECT_NE(read_change("<html/>").error().detail.find("\"html\""), std::string::npos);
  EXPECT_FALSE(
      read_change("<GetChangeResponse><ChangeInfo><Id>C1</Id><Status>NEW</Status>"
                  "</ChangeInfo></GetChangeResponse>"));
  EXPECT_FALSE(read_change("<GetChangeResponse/>"));
  EXPECT_FALSE(read_zone_page("<ListHostedZonesResponse/>"));
  EXPECT_FALSE(
      read_zone_page("<ListHostedZonesResponse><HostedZones><HostedZone/></HostedZones>"
                     "</ListHostedZonesResponse>"));
  EXPECT_FALSE(read_record_page("<ListResourceRecordSetsResponse/>"));
  EXPECT_FALSE(
      read_record_page("<ListResourceRecordSetsResponse><ResourceRecordSets><ResourceRecordSet/>"
                       "</ResourceRecordSets></ListResourceRecordSetsResponse>"));
  EXPECT_FALSE(read_name_servers("<GetHostedZoneResponse/>"));
  EXPECT_NE(read_change(std::string((4U << 20U) + 1, ' ')).error().detail.find("4 MiB"),
            std::string::npos);
}

TEST(Route53Xml, WritesTheElementsOfABatchInTheirOrder) {
  const auto body = change_request({{.action = SetChange::Action::remove,
                                     .name = Fqdn::literal("_acme-challenge.example.com"),
                                     .set = {.ttl = 300, .texts = {"\"a<b\""}}},
                                    {.action = SetChange::Action::create,
                                     .name = Fqdn::literal("*.example.com"),
                                     .set = {.ttl = 60, .texts = {"\"one\"", "\"two\""}}}});
  EXPECT_EQ(body,
            "<?xml version=\"1.0\"?>"
            "<ChangeResourceRecordSetsRequest "
            "xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><ChangeBatch><Changes>"
            "<Change><Action>DELETE</Action><ResourceRecordSet>"
            "<Name>_acme-challenge.example.com.</Name><Type>TXT</Type><TTL>300</TTL>"
            "<ResourceRecords><ResourceRecord><Value>\"a&lt;b\"</Value></ResourceRecord>"
            "</ResourceRecords></ResourceRecordSet></Change>"
            "<Change><Action>CREATE</Action><ResourceRecordSet>"
            "<Name>\\052.example.com.</Name><Type>TXT</Type><TTL>60</TTL>"
            "<ResourceRecords><ResourceRecord><Value>\"one\"</Value></ResourceRecord>"
            "<ResourceRecord><Value>\"two\"</Value></ResourceRecord>"
            "</ResourceRecords></ResourceRecordSet></Change>"
            "</Changes></ChangeBatch></ChangeResourceRecordSetsRequest>");
}

}  // namespace
}  // namespace certherd::dns::route53
