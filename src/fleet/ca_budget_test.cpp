#include "fleet/ca_budget.hpp"

#include <gtest/gtest.h>

namespace certherd::fleet {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;

const CaName ca("ca");

class OrderFactsOfARow : public testing::Test {
 protected:
  OrderFactsOfARow() {
    row.domain.name = Fqdn::literal("a.example");
    auto& certificate = row.certificate.emplace();
    certificate.ca = ca;
    certificate.ari_id = "id";
    certificate.names = {row.domain.name};
    certificate.not_before = now - days(200);
    certificate.not_after = now + days(30);
    certificate.renewal.window = {.start = now - 1h, .end = now + 1h, .explanation_url = {}};
  }

  bool within(const CaName& at = ca) { return facts_of(row, at, now).within_renewal_window; }

  const Time now = Time(days(20'000));
  store::DomainRow row;
};

// Boulder exempts an order that replaces a certificate and comes while start <= now < end.
TEST_F(OrderFactsOfARow, AreWithinTheWindowFromItsStartUntilItsEnd) {
  auto& window = *row.certificate->renewal.window;
  EXPECT_TRUE(within());
  window.start = now;
  EXPECT_TRUE(within());
  window.start = now + 1s;
  EXPECT_FALSE(within());
  window = {.start = now - 1h, .end = now, .explanation_url = {}};
  EXPECT_FALSE(within());
  row.certificate->renewal.window.reset();
  EXPECT_FALSE(within());
}

TEST_F(OrderFactsOfARow, AreWithinNoWindowWhereTheOrderReplacesNothing) {
  EXPECT_FALSE(within(CaName("another")));
  row.certificate->revoked_at = now - 1h;
  EXPECT_FALSE(within());
  row.certificate->revoked_at.reset();
  row.certificate->names = {Fqdn::literal("b.example")};
  EXPECT_FALSE(within());
}

TEST_F(OrderFactsOfARow, KnowWhetherTheseNamesWereCertifiedBefore) {
  EXPECT_FALSE(facts_of(row, ca, now).same_names_before) << "too long ago";
  row.certificate->not_before = now - days(60);
  EXPECT_TRUE(facts_of(row, ca, now).same_names_before);
  EXPECT_FALSE(facts_of(row, CaName("another"), now).same_names_before);
  EXPECT_FALSE(facts_of(row, ca, now).first);
  row.certificate.reset();
  EXPECT_TRUE(facts_of(row, ca, now).first);
}

}  // namespace
}  // namespace certherd::fleet
