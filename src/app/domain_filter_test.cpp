#include "app/domain_filter.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/inventory_columns.hpp"

namespace certherd::app {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

store::DomainRow row(Columns columns) {
  store::DomainRow made;
  made.domain = *domain_of(columns);
  return made;
}

std::vector<store::DomainRow> some_rows() {
  auto failing = row({{"domain", "a.example"}, {"owner", "web"}, {"team", "web shop"}});
  failing.domain.last_error = Error();
  return {std::move(failing),
          row({{"domain", "b.example"}, {"owner", "web"}, {"names", "*.bücher.example"}}),
          row({{"domain", "c.example"}, {"owner", "ops"}, {"state", "Bavaria"}, {"ca", "other"}}),
          row({{"domain", "d.example"},
               {"enabled", "no"},
               {"targets", "t1 t2"},
               {"hold", "2026-12-24"},
               {"window", "22:00-04:00"}})};
}

Result<std::vector<std::string>> selected(std::string_view where) {
  auto filter = DomainFilter::parse(where);
  if (!filter) return fail(std::move(filter.error()));
  fleet::Defaults defaults;
  defaults.cas = {CaName("main")};
  auto rows = filter->select(some_rows(), defaults, Time{});
  if (!rows) return fail(std::move(rows.error()));
  std::vector<std::string> names;
  for (const auto& each : *rows) names.push_back(each.domain.name.text().substr(0, 1));
  return names;
}

std::vector<std::string> names(std::string_view where) {
  auto found = selected(where);
  EXPECT_TRUE(found) << found.error().message();
  return found ? *found : std::vector<std::string>{};
}

std::string fault(std::string_view where) {
  const auto found = selected(where);
  return found ? "accepted" : found.error().message();
}

TEST(Where, AllTermsMustHold) {
  EXPECT_THAT(names(""), ElementsAre("a", "b", "c", "d"));
  EXPECT_THAT(names("owner=web"), ElementsAre("a", "b"));
  EXPECT_THAT(names("owner=web state=failing"), ElementsAre("a"));
  EXPECT_THAT(names("  owner=web   state!=failing "), ElementsAre("b"));
  EXPECT_THAT(names("owner="), ElementsAre("d"));
  EXPECT_THAT(names("owner=nobody"), IsEmpty());
}

TEST(Where, AStarStandsForAnything) {
  EXPECT_THAT(names("domain=*"), ElementsAre("a", "b", "c", "d"));
  EXPECT_THAT(names("domain=*.example owner=o*s"), ElementsAre("c"));
  EXPECT_THAT(names("domain=a*a*e"), ElementsAre("a"));
  EXPECT_THAT(names("domain=a*b"), IsEmpty());
  EXPECT_THAT(names("owner=w*e*b*"), ElementsAre("a", "b"));
  EXPECT_THAT(names("owner!=*"), IsEmpty());
}

TEST(Where, OfListsOneIsEnough) {
  EXPECT_THAT(names("targets=t2"), ElementsAre("d"));
  EXPECT_THAT(names("targets!=t2"), ElementsAre("a", "b", "c"));
  EXPECT_THAT(names("names=*.xn--bcher-kva.example"), ElementsAre("b"));
  EXPECT_THAT(names("names=*.bücher.example"), ElementsAre("b"));
  EXPECT_THAT(names("names=b.example"), ElementsAre("b"));
}

TEST(Where, KnowsMetadataAndWhatHoldsByDefault) {
  EXPECT_THAT(names("team=\"web shop\""), ElementsAre("a"));
  EXPECT_THAT(names("\"team=web shop\""), ElementsAre("a"));
  EXPECT_THAT(names("team="), ElementsAre("b", "c", "d"));
  EXPECT_THAT(names("metadata.state=Bavaria"), ElementsAre("c"));
  EXPECT_THAT(names("state=disabled"), ElementsAre("d"));
  EXPECT_THAT(names("ca=main"), ElementsAre("a", "b", "d"));
  EXPECT_THAT(names("key=auto enabled=false"), ElementsAre("d"));
  EXPECT_THAT(names("hold!="), ElementsAre("d"));
  EXPECT_THAT(names("window=22:*"), ElementsAre("d"));
}

TEST(Where, KnowsThePresentCertificate) {
  Certificate certificate;
  certificate.ca = CaName("other");
  certificate.issuer = "Some Issuer R10";
  certificate.key_type = KeyType::rsa_2048;
  certificate.serial = Serial("04abcd");
  certificate.not_after = *parse_time("2026-12-24T12:00:00Z");
  auto with = row({{"domain", "a.example"}, {"ca", "main"}, {"key", "ecdsa-p256"}});
  with.certificate = std::move(certificate);
  const std::vector rows = {std::move(with), row({{"domain", "b.example"}})};
  const auto found = [&rows](std::string_view where) {
    std::string names;
    const auto selected = DomainFilter::parse(where)->select(rows, fleet::Defaults(), Time{});
    for (const auto& each : selected.value()) names += each.domain.name.text().substr(0, 1);
    return names;
  };
  EXPECT_EQ(found("certificate.ca=other ca=main"), "a");
  EXPECT_EQ(found("\"certificate.issuer=Some Issuer *\""), "a");
  EXPECT_EQ(found("certificate.key=rsa-* key=ecdsa-p256"), "a");
  EXPECT_EQ(found("certificate.not_after=2026-12-*"), "a");
  EXPECT_EQ(found("certificate.serial=04:AB:CD"), "a");
  EXPECT_EQ(found("certificate.serial=04ab*"), "a");
  EXPECT_EQ(found("certificate.serial=04abce"), "");
  EXPECT_EQ(found("certificate.serial="), "b") << "it has none";
  EXPECT_EQ(found("certificate.ca!=other"), "b");
}

TEST(Where, RefusesWhatItDoesNotUnderstand) {
  EXPECT_THAT(fault("owner"), AllOf(HasSubstr("--where"), HasSubstr("\"owner\" is none of")));
  EXPECT_THAT(fault("=web"), HasSubstr("KEY=VALUE"));
  EXPECT_THAT(fault("!=web"), HasSubstr("KEY=VALUE"));
  EXPECT_THAT(fault("owner=\"web"), HasSubstr("never closed"));
  EXPECT_THAT(fault("onwer=web"),
              AllOf(HasSubstr("no domain has \"onwer\""), HasSubstr("owner"), HasSubstr("team")));
  EXPECT_THAT(fault("certificate.isuer=x"),
              AllOf(HasSubstr("no domain has"), HasSubstr("certificate.issuer")));
  EXPECT_THAT(fault("metadata.owner=web"), HasSubstr("no domain has \"owner\""));
}

}  // namespace
}  // namespace certherd::app
