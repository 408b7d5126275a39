#include "app/inventory_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace certherd::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> faults(std::string_view text) {
  const auto read = read_inventory(text);
  std::vector<std::string> messages;
  if (read) return messages;
  if (read.error().causes.empty()) messages.push_back(read.error().message());
  for (const auto& cause : read.error().causes) messages.push_back(cause.message());
  return messages;
}

TEST(Inventory, ReadsKnownColumnsAndKeepsTheRestAsMetadata) {
  const auto read = read_inventory(
      "domain,names,zone_id,targets,endpoints,owner,enabled,cost centre\n"
      "Shop.Example.,www.shop.example *.shop.example,Z1,edge files,"
      "shop.example:8443@127.0.0.1,web,no,\"4, 7\"\r\n");
  ASSERT_TRUE(read) << read.error().message();
  ASSERT_EQ(read->size(), 1U);
  const auto& domain = read->front();
  EXPECT_EQ(domain.name.text(), "shop.example");
  EXPECT_THAT(domain.names,
              ElementsAre(Fqdn::literal("www.shop.example"), Fqdn::literal("*.shop.example")));
  EXPECT_EQ(domain.zone_id.text(), "Z1");
  EXPECT_THAT(domain.targets, ElementsAre(TargetName("edge"), TargetName("files")));
  EXPECT_EQ(domain.endpoints.front().port, 8443);
  EXPECT_EQ(domain.owner, "web");
  EXPECT_FALSE(domain.enabled);
  EXPECT_EQ(domain.metadata.at("cost centre"), "4, 7");
}

TEST(Inventory, ReadsJsonLines) {
  const auto read = read_inventory(
      "{\"domain\": \"a.example\", \"names\": [\"b.example\", \"c.example\"], \"seats\": 7}\n\n"
      "{\"domain\": \"d.example\"}\n");
  ASSERT_TRUE(read) << read.error().message();
  ASSERT_EQ(read->size(), 2U);
  EXPECT_EQ(read->front().names.size(), 2U);
  EXPECT_EQ(read->front().metadata.at("seats"), "7");
}

TEST(Inventory, NamesEveryBadRowByItsLine) {
  const auto found = faults(
      "domain,key\n"
      "good.example,\n"
      "bad..example,\n"
      "\"quoted\nfield\",rsa-1024\n"
      "short.example\n"
      "good.example,auto\n");
  ASSERT_EQ(found.size(), 5U);
  EXPECT_THAT(found[0], HasSubstr("line 3: domain"));
  EXPECT_THAT(found[1], HasSubstr("line 4: domain"));
  EXPECT_THAT(found[2], HasSubstr("line 4: key"));
  EXPECT_THAT(found[3], HasSubstr("line 6"));
  EXPECT_THAT(found[4], HasSubstr("stands already in line 2"));
}

TEST(Inventory, RefusesBrokenCsvAndJson) {
  EXPECT_THAT(faults("domain\n\"a.example\n"), ElementsAre(HasSubstr("line 2")));
  EXPECT_THAT(faults("domain\n\"a\"b\n"), ElementsAre(HasSubstr("line 2")));
  EXPECT_THAT(faults("{\"domain\": \"a.example\"}\n{\"domain\": }\n"),
              ElementsAre(HasSubstr("line 2")));
  EXPECT_THAT(faults("{\"domain\": {}}\n"), ElementsAre(HasSubstr("line 1")));
  EXPECT_THAT(faults(" \n"), ElementsAre(HasSubstr("is empty")));
}

TEST(Inventory, WantsTheDomainColumn) {
  EXPECT_THAT(faults("name\na.example\n"), ElementsAre(HasSubstr("domain: is missing")));
}

TEST(Inventory, ToleratesTheMarkOfSpreadsheets) {
  EXPECT_TRUE(
      read_inventory("\xEF\xBB\xBF"
                     "domain\na.example\n"));
}

}  // namespace
}  // namespace certherd::app
