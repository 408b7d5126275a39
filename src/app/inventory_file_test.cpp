#include "app/inventory_file.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace certherd::app {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<Domain> domains(std::string_view text) {
  auto file = read_inventory(text);
  EXPECT_TRUE(file) << file.error().message();
  if (!file) return {};
  EXPECT_TRUE(file->faults.empty()) << file->faults.error().message();
  return std::move(*file).domains();
}

std::vector<std::string> faults(std::string_view text) {
  const auto file = read_inventory(text);
  if (!file) return {file.error().message()};
  std::vector<std::string> messages;
  if (file->faults.empty()) return messages;
  for (const auto& cause : file->faults.error().causes) messages.push_back(cause.message());
  return messages;
}

TEST(Inventory, ReadsKnownColumnsAndKeepsTheRestAsMetadata) {
  const auto read = domains(
      "domain,names,zone_id,targets,endpoints,owner,enabled,cost centre,profile\n"
      "Shop.Example.,www.shop.example *.shop.example,Z1,edge files,"
      "shop.example:8443@127.0.0.1,web,no,\"4, 7\",tlsserver\r\n");
  ASSERT_EQ(read.size(), 1U);
  const auto& domain = read.front();
  EXPECT_EQ(domain.name.text(), "shop.example");
  EXPECT_THAT(domain.names,
              ElementsAre(Fqdn::literal("www.shop.example"), Fqdn::literal("*.shop.example")));
  EXPECT_EQ(domain.zone_id.text(), "Z1");
  EXPECT_THAT(domain.targets, ElementsAre(TargetName("edge"), TargetName("files")));
  EXPECT_EQ(domain.endpoints.front().port, 8443);
  EXPECT_EQ(domain.owner, "web");
  EXPECT_EQ(domain.profile, "tlsserver");
  EXPECT_FALSE(domain.enabled);
  EXPECT_EQ(domain.metadata.at("cost centre"), "4, 7");
}

TEST(Inventory, ReadsAHoldAlsoAsATruthValue) {
  const auto read = domains(
      "{\"domain\": \"a.example\", \"hold\": true}\n"
      "{\"domain\": \"b.example\", \"hold\": false, \"window\": null}\n"
      "{\"domain\": \"c.example\", \"hold\": \"2026-12-24\", \"window\": \"sat 02:00-05:00\"}\n");
  ASSERT_EQ(read.size(), 3U);
  EXPECT_EQ(read[0].hold, "yes");
  EXPECT_EQ(read[1].hold, "");
  EXPECT_EQ(read[2].hold, "2026-12-24");
  EXPECT_EQ(read[2].window, "sat 02:00-05:00");
}

TEST(Inventory, ReadsJsonLines) {
  const auto read = domains(
      "{\"domain\": \"a.example\", \"names\": [\"b.example\", \"c.example\"], \"seats\": 7,"
      " \"share\": 1.5, \"enabled\": false}\n\n"
      "{\"domain\": \"d.example\"}\n");
  ASSERT_EQ(read.size(), 2U);
  EXPECT_EQ(read.front().names.size(), 2U);
  EXPECT_EQ(read.front().metadata.at("seats"), "7");
  EXPECT_EQ(read.front().metadata.at("share"), "1.5");
  EXPECT_FALSE(read.front().enabled);
}

TEST(Inventory, ReadsOneJsonDocument) {
  EXPECT_EQ(domains("{\"domains\": [\n{\"domain\": \"a.example\"},\n{\"domain\": \"b.example\"}]}")
                .size(),
            2U);
  EXPECT_EQ(domains("[{\"domain\": \"a.example\"}]").size(), 1U);
  EXPECT_THAT(faults("[{\"domain\": \"a.example\"}, 7]"),
              ElementsAre(AllOf(HasSubstr("entry 2"), HasSubstr("no JSON object"))));
}

TEST(Inventory, NamesEveryBadRowByTheLineWhereItBegins) {
  const auto found = faults(
      "domain,key,enabled,endpoints\n"
      "good.example,,,\n"
      "bad..example,,,\n"
      "\n"
      "\"quoted\nfield\",rsa-1024,,\n"
      "short.example\n"
      "long.example,,,,\n"
      "good.example,auto,,\n"
      "off.example,,maybe,\n"
      "end.example,,,end.example:0\n");
  EXPECT_THAT(found,
              ElementsAre(AllOf(HasSubstr("line 3: domain: name \"bad..example\""),
                                HasSubstr("empty label")),
                          HasSubstr("line 5: domain: "), HasSubstr("line 5: key: \"rsa-1024\""),
                          HasSubstr("line 7: has 1 fields, the first row names 4"),
                          HasSubstr("line 8: has 5 fields"),
                          HasSubstr("line 9: domain: good.example stands already in line 2"),
                          HasSubstr("line 10: enabled: \"maybe\" is neither true nor false"),
                          AllOf(HasSubstr("line 11: endpoints: "), HasSubstr("port"))));
}

TEST(Inventory, NamesAHoldAndAWindowThatCannotBeRead) {
  EXPECT_THAT(faults("domain,hold,window\na.example,soon,\nb.example,,sat\n"),
              ElementsAre(AllOf(HasSubstr("line 2: hold: \"soon\" is neither yes"),
                                HasSubstr("2026-12-24T12:00:00Z")),
                          AllOf(HasSubstr("line 3: window: \"sat\" is no span"),
                                HasSubstr("sat,sun 02:00-05:00"))));
}

TEST(Inventory, NamesTheRuleThatANameBreaks) {
  EXPECT_THAT(faults("domain,names\n"
                     "localhost,\n"
                     "a.example,my_host.example *.*.example\n" +
                     std::string(64, 'a') + ".example,\n"),
              ElementsAre(HasSubstr("line 2: domain: name \"localhost\": it has one label"),
                          AllOf(HasSubstr("line 3: names"), HasSubstr("underscore")),
                          AllOf(HasSubstr("line 3: names"), HasSubstr("wildcard")),
                          AllOf(HasSubstr("line 4: domain"), HasSubstr("longer than 63"))));
}

TEST(Inventory, RefusesAFirstRowThatNamesNoColumns) {
  EXPECT_THAT(faults("name\na..example\n"), ElementsAre(HasSubstr("\"domain\" is missing")));
  EXPECT_THAT(faults("domain,owner,owner\na..example,,\n"),
              ElementsAre(HasSubstr("line 1: column 3 (\"owner\"): stands there already")));
  EXPECT_THAT(faults("domain,,Owner, team\na.example,,,\n"),
              ElementsAre(HasSubstr("column 2 (\"\"): a column needs a name"),
                          HasSubstr("column 3 (\"Owner\"): the column is written")));
  EXPECT_THAT(faults("\n\na.example\n"), ElementsAre(HasSubstr("line 3: columns: ")));
}

TEST(Inventory, RefusesBrokenQuotesAndTellsWhatStandsBefore) {
  EXPECT_THAT(faults("domain\nbad..example\n\"a.example\n"),
              ElementsAre(HasSubstr("line 2"), HasSubstr("line 3: a quotation mark is opened")));
  EXPECT_THAT(faults("domain\n\"a\"b\n"),
              ElementsAre(HasSubstr("line 2: a quotation mark stands")));
}

TEST(Inventory, RefusesWhatIsNoText) {
  EXPECT_THAT(faults("domain,owner\na.example,b\xfc"
                     "cher\n"),
              ElementsAre(HasSubstr("line 2: owner: is not UTF-8")));
  EXPECT_THAT(faults(std::string_view("domain,owner\na.example,x\0y\n", 27)),
              ElementsAre(HasSubstr("line 2: owner: has a zero octet")));
  EXPECT_THAT(faults("domain,b\xfc"
                     "cher\na.example,\n"),
              ElementsAre(AllOf(HasSubstr("line 1: column 2"), HasSubstr("UTF-8"))));
}

TEST(Inventory, NamesEveryBadLineOfJson) {
  EXPECT_THAT(faults("{\"domain\": \"a.example\"}\n{\"domain\": }\n\n{\"owner\": \"web\"}\n"
                     "7\n{\"domain\": {}}\n{\"domain\": \"a.example\"}\n"),
              ElementsAre(HasSubstr("line 2: is no JSON"), HasSubstr("line 4: domain: is missing"),
                          HasSubstr("line 5: is no JSON object"), HasSubstr("line 6: domain: must"),
                          HasSubstr("line 7: domain: a.example stands already in line 1")));
}

TEST(Inventory, OfThousandsOfBadRowsTheFirstAreToldAndAllAreCounted) {
  std::string text = "domain\n";
  for (int i = 0; i < 3'000; ++i) text += "bad..example\n";
  const auto file = read_inventory(text);
  ASSERT_TRUE(file);
  const auto error = file->faults.error();
  EXPECT_EQ(error.causes.size(), 50U);
  EXPECT_THAT(error.detail, AllOf(HasSubstr("3000 rows are wrong"), HasSubstr("first 50 of 3000")));
}

TEST(Inventory, RefusesWhatIsEmptyOrTooLarge) {
  EXPECT_THAT(faults(" \n"), ElementsAre(HasSubstr("is empty")));
  EXPECT_THAT(faults("\xEF\xBB\xBF"), ElementsAre(HasSubstr("is empty")));
  EXPECT_THAT(faults(std::string(inventory_limit + 1, 'a')), ElementsAre(HasSubstr("256 MiB")));
  EXPECT_THAT(domains("domain\n"), IsEmpty());
}

TEST(Inventory, ToleratesTheMarkAndTheLineEndsOfSpreadsheets) {
  EXPECT_EQ(domains("\xEF\xBB\xBF"
                    "domain,owner\r\na.example,web\r\n\r\nb.example,\r\n")
                .size(),
            2U);
  EXPECT_THAT(faults("domain\ra.example\rbad..example\r"), ElementsAre(HasSubstr("line 3")));
}

std::vector<Domain> odd_domains() {
  Domain all = *domain_of({{"domain", "bücher.example"},
                           {"names", "*.bücher.example www.bücher.example"},
                           {"zone_id", "Z 1"},
                           {"ca", "ca"},
                           {"dns", "dns"},
                           {"vault", "vault"},
                           {"targets", "t1 t2"},
                           {"key", "rsa-2048"},
                           {"profile", "tlsserver"},
                           {"endpoints", "a.example:8443@[2001:db8::1] b.example"},
                           {"owner", " web, \"shop\" "},
                           {"enabled", "no"},
                           {"hold", "2026-12-24T08:00:00+01:00"},
                           {"window", "sat,sun 02:00-05:00; 22:00-04:00"},
                           {"quote\"d, column", "\"\""},
                           {"note", "two\nlines\r\nand\ttabs"},
                           {"城", "例え"},
                           {"sum", "=1+1"}});
  Domain bare = *domain_of({{"domain", "a.example"}});
  return {std::move(all), std::move(bare)};
}

TEST(Inventory, CsvIsReadAgainWithoutLoss) {
  const auto written = odd_domains();
  const auto text = write_csv(written);
  const auto read = domains(text);
  ASSERT_EQ(read.size(), 2U);
  for (std::size_t i = 0; i < read.size(); ++i) {
    EXPECT_EQ(columns_of(read[i]), columns_of(written[i]));
  }
  EXPECT_EQ(write_csv(read), text);
  EXPECT_EQ(write_csv({}),
            "domain,zone_id,names,ca,dns,vault,targets,key,profile,endpoints,owner,enabled,hold,"
            "window\n");
}

TEST(Inventory, ManyRowsAreRead) {
  std::string text = "domain,names,owner,team\n";
  for (int i = 0; i < 20'000; ++i) {
    text += fmt::format("host-{0}.example,www.host-{0}.example,web,\"team {0}\"\n", i);
  }
  const auto read = domains(text);
  ASSERT_EQ(read.size(), 20'000U);
  EXPECT_EQ(read.back().names.front().text(), "www.host-19999.example");
  EXPECT_EQ(read.back().metadata.at("team"), "team 19999");
}

TEST(Columns, AnEmptyTextClearsAndWhatIsNotGivenStays) {
  const auto before = odd_domains().front();
  const auto after = with_columns(before, {{"note", ""}, {"names", ""}, {"owner", "ops"}});
  ASSERT_TRUE(after);
  EXPECT_FALSE(after->metadata.contains("note"));
  EXPECT_THAT(after->names, IsEmpty());
  EXPECT_EQ(after->owner, "ops");
  EXPECT_EQ(after->metadata.at("sum"), "=1+1");
  EXPECT_EQ(after->zone_id, before.zone_id);
  EXPECT_EQ(after->key, before.key);
}

TEST(Columns, ASlipIsRecognised) {
  EXPECT_EQ(meant_column("endpoint"), "endpoints");
  EXPECT_EQ(meant_column("Zone ID"), "zone_id");
  EXPECT_EQ(meant_column("domains"), "domain");
  EXPECT_EQ(meant_column("team"), "");
  EXPECT_EQ(meant_column("s"), "");
}

TEST(Columns, TheNameStays) {
  const auto before = odd_domains().back();
  EXPECT_TRUE(with_columns(before, {{"domain", "A.example."}}));
  const auto other = with_columns(before, {{"domain", "b.example"}});
  ASSERT_FALSE(other);
  EXPECT_THAT(other.error().message(), HasSubstr("domain: a name cannot be changed"));
}

TEST(Columns, TheFormerNameAndRepeatedOnesAreNoFurtherNames) {
  const auto domain =
      domain_of({{"domain", "a.example"}, {"names", "b.example A.example b.example"}});
  ASSERT_TRUE(domain);
  EXPECT_THAT(domain->names, ElementsAre(Fqdn::literal("b.example")));
}

}  // namespace
}  // namespace certherd::app
