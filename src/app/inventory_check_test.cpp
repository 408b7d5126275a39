#include "app/inventory_check.hpp"

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

using Preset = policy::CaLimits::Preset;

Config config(Preset preset) {
  Config made;
  made.cas[CaName("le")].limits = policy::CaLimits::of(preset);
  made.cas[CaName("own")].limits = policy::CaLimits::of(Preset::none);
  made.defaults.cas = {CaName("le")};
  return made;
}

TEST(InventoryCheck, NamesTheSectionsThatAreMissing) {
  const auto domain = domain_of({{"domain", "a.example"},
                                 {"ca", "moon"},
                                 {"dns", "moon"},
                                 {"vault", "moon"},
                                 {"targets", "moon sun"}});
  const auto missing = misfits(config(Preset::none), *domain);
  ASSERT_EQ(missing.size(), 5U);
  EXPECT_EQ(missing[0].message(), "ca: there is no [ca.moon] in the config");
  EXPECT_EQ(missing[4].message(), "targets: there is no [target.sun] in the config");
  EXPECT_THAT(misfits(config(Preset::none), *domain_of({{"domain", "a.example"}})), IsEmpty());
}

TEST(InventoryCheck, DoubtsNamesThatNoPublicCaSigns) {
  const auto domain = *domain_of({{"domain", "printer.corp"}, {"names", "www.example.com"}});
  for (const auto limits : {Preset::letsencrypt, Preset::letsencrypt_staging}) {
    EXPECT_THAT(doubts_about(config(limits), domain),
                ElementsAre(AllOf(HasSubstr("[ca.le] will refuse printer.corp"),
                                  HasSubstr("under no public suffix"))));
  }
  EXPECT_THAT(doubts_about(config(Preset::none), domain), IsEmpty());
  auto elsewhere = domain;
  elsewhere.cas = {CaName("own")};
  EXPECT_THAT(doubts_about(config(Preset::letsencrypt), elsewhere), IsEmpty());
}

TEST(InventoryCheck, DoubtsMoreNamesThanFitOnACertificate) {
  std::string names;
  for (int i = 0; i < 100; ++i) names += fmt::format("n{}.example.com ", i);
  const auto domain = *domain_of({{"domain", "example.com"}, {"names", names}});
  EXPECT_THAT(doubts_about(config(Preset::letsencrypt), domain),
              ElementsAre(HasSubstr("101 names")));
}

TEST(InventoryCheck, TellsNamesThatTwoDomainsShare) {
  const std::vector<Domain> inventory = {
      *domain_of({{"domain", "a.example"}, {"names", "www.example www.a.example"}}),
      *domain_of({{"domain", "b.example"}, {"names", "www.example"}}),
      *domain_of({{"domain", "c.example"}, {"names", "a.example"}})};
  EXPECT_THAT(
      shared_names(inventory, {Fqdn::literal("b.example")}),
      ElementsAre("www.example stands on the certificates of both a.example and b.example"));
  EXPECT_EQ(shared_names(inventory, {Fqdn::literal("a.example")}).size(), 2U);
  EXPECT_THAT(shared_names(inventory, {}), IsEmpty());
}

}  // namespace
}  // namespace certherd::app
