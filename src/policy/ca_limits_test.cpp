#include "policy/ca_limits.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace certherd::policy {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr Time noon = std::chrono::sys_days(std::chrono::year(2026) / 11 / 26) + 12h;

std::vector<Fqdn> names(std::initializer_list<std::string_view> texts) {
  std::vector<Fqdn> names;
  for (const auto text : texts) names.push_back(Fqdn::literal(text));
  return names;
}

OrderFacts order_for(std::initializer_list<std::string_view> texts) {
  OrderFacts order;
  order.names = names(texts);
  return order;
}

/// What an order is asked for, as "LIMIT SUBJECT".
std::vector<std::string> asked(const OrderFacts& order,
                               CaLimits::Preset preset = CaLimits::Preset::letsencrypt) {
  std::vector<std::string> texts;
  for (const auto& draw : draws_of(CaLimits::of(preset), order)) {
    if (!draw.asked || draw.bucket.limit == CaLimit::consecutive_failures) continue;
    texts.push_back(fmt::format("{} {}", to_string(draw.bucket.limit), draw.bucket.subject));
  }
  return texts;
}

TEST(CaLimits, ReadsRates) {
  EXPECT_EQ(parse_rate("300/3h"), (Rate{300, 3h}));
  EXPECT_EQ(parse_rate("300/10800ms"), (Rate{300, 10'800ms}));
  for (const auto* wrong : {"", "300", "300/", "/3h", "0/3h", "-1/3h", "300/0h", "300/3", "3 /3h",
                            "300/3h ", "99999999/1h"}) {
    EXPECT_EQ(parse_rate(wrong), std::nullopt) << wrong;
  }
  EXPECT_EQ((Rate{300, 3h}).interval(), 36s);
  EXPECT_EQ((Rate{50, days(7)}).interval(), 12'096s);
}

TEST(CaLimits, AnOrderDrawsOnItsAccountItsDomainsAndItsNames) {
  EXPECT_THAT(asked(order_for({"www.example.com", "*.example.com", "example.co.uk"})),
              UnorderedElementsAre(
                  "new_orders ", "certificates_per_domain example.com",
                  "certificates_per_domain example.co.uk",
                  "certificates_for_same_names *.example.com example.co.uk www.example.com",
                  "failed_validations www.example.com", "failed_validations example.com",
                  "failed_validations example.co.uk"));
  EXPECT_THAT(asked(order_for({"www.example.com"}), CaLimits::Preset::none), IsEmpty());
}

TEST(CaLimits, ExemptsWhatBoulderExempts) {
  auto order = order_for({"example.com"});
  order.same_names_before = true;
  EXPECT_THAT(asked(order), ElementsAre("certificates_for_same_names example.com",
                                        "failed_validations example.com"));
  order.same_names_before = false;
  order.within_renewal_window = true;
  EXPECT_THAT(asked(order), IsEmpty());

  // It counts them all the same once it has issued.
  std::vector<CaLimit> spent;
  for (const auto& draw : draws_of(CaLimits::of(CaLimits::Preset::letsencrypt), order)) {
    if (draw.spent == CaDraw::Spent::by_certificate) spent.push_back(draw.bucket.limit);
  }
  EXPECT_THAT(spent,
              ElementsAre(CaLimit::certificates_per_domain, CaLimit::certificates_for_same_names));

  // Nobody knows whether another CA does.
  CaLimits own;
  own.rates = {{CaLimit::new_orders, {10, 1h}}};
  order.same_names_before = true;
  EXPECT_EQ(draws_of(own, order).size(), 1U);
}

TEST(CaLimits, FirstCertificatesLeaveAFifthToRenewals) {
  auto order = order_for({"example.com"});
  EXPECT_EQ(draws_of(CaLimits::of(CaLimits::Preset::letsencrypt), order).front().kept, 60);
  order.first = false;
  EXPECT_EQ(draws_of(CaLimits::of(CaLimits::Preset::letsencrypt), order).front().kept, 0);
  CaLimits one;
  one.rates = {{CaLimit::new_orders, {1, 1h}}};
  order.first = true;
  EXPECT_EQ(draws_of(one, order).front().kept, 0);
}

TEST(CaLimits, KnowsWhatARefusalIsAbout) {
  const auto about = [](std::string detail) {
    Problem problem;
    problem.detail = std::move(detail);
    return bucket_of(problem, names({"*.example.com", "www.example.org"}));
  };
  EXPECT_EQ(about("too many new orders (300) from this account in the last 3h0m0s, retry after …"),
            (CaBucket{CaLimit::new_orders, ""}));
  EXPECT_EQ(about("too many certificates (50) already issued for \"example.org\" in the last 168h"),
            (CaBucket{CaLimit::certificates_per_domain, "example.org"}));
  for (const auto* what : {"identifiers", "domains"}) {
    EXPECT_EQ(about(fmt::format("too many certificates (5) already issued for this exact set of {} "
                                "in the last 168h0m0s",
                                what)),
              (CaBucket{CaLimit::certificates_for_same_names, "*.example.com www.example.org"}));
  }
  EXPECT_EQ(about("too many failed authorizations (5) for \"example.com\" in the last 1h0m0s"),
            (CaBucket{CaLimit::failed_validations, "example.com"}));
  // What is nobody's name here is not believed.
  EXPECT_EQ(about("too many certificates (50) already issued for \"other.example\""),
            (CaBucket{CaLimit::new_orders, ""}));
  EXPECT_EQ(about("slow down"), (CaBucket{CaLimit::new_orders, ""}));
}

TEST(CaLimits, TellsWhatHoldsAnOrderBackAndWhatHelps) {
  const auto limits = CaLimits::of(CaLimits::Preset::letsencrypt);
  const auto error = [&limits](CaLimit limit, const std::string& subject) {
    return limit_reached({limit, subject}, limits.rates.at(limit), "le", noon).message();
  };
  EXPECT_EQ(error(CaLimit::new_orders, ""),
            "keep to the CA's limits: 300 new orders in 3h at le are all that it allows: this "
            "one's turn comes at 2026-11-26T12:00:00Z by itself (the CA may grant more on request; "
            "then the limits of its section have to say so)");
  EXPECT_THAT(error(CaLimit::certificates_per_domain, "example.com"),
              HasSubstr("50 certificates for example.com in 7d at le"));
  EXPECT_THAT(error(CaLimit::consecutive_failures, "example.com"), HasSubstr("certherd doctor"));
  EXPECT_EQ(words_of({CaLimit::new_orders, ""}, {300, 10'800ms}, "le"),
            "300 new orders in 10800ms at le");
}

}  // namespace
}  // namespace certherd::policy
