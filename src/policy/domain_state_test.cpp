#include "policy/domain_state.hpp"

#include <gtest/gtest.h>

#include "policy/ca_limits.hpp"

namespace certherd::policy {
namespace {

constexpr Time start = Time(std::chrono::days(20'000));

struct DomainStateTest : testing::Test {
  Domain domain;
  std::optional<Certificate> certificate;
  std::optional<Step> working;

  DomainStateTest() { domain.name = Fqdn::literal("shop.example"); }

  void issue() {
    certificate.emplace();
    certificate->names = {domain.name};
    certificate->not_before = start;
    certificate->not_after = start + std::chrono::days(90);
  }
  std::string_view at(int day) const {
    return to_string(state_of(domain, certificate, working, 0.5, start + std::chrono::days(day)));
  }
};

TEST_F(DomainStateTest, RunsFromNewToExpired) {
  EXPECT_EQ(at(0), "new");
  working = Step::publish;
  EXPECT_EQ(at(0), "working");
  working.reset();
  issue();
  EXPECT_EQ(at(1), "ok");
  EXPECT_EQ(at(60), "due");
  EXPECT_EQ(at(90), "expired");
}

TEST_F(DomainStateTest, AnErrorShowsOverWork) {
  working = Step::publish;
  domain.last_error.emplace();
  EXPECT_EQ(at(0), "failing");
}

TEST_F(DomainStateTest, WaitingForItsTurnIsNoFailure) {
  domain.last_error =
      limit_reached({CaLimit::new_orders, ""}, {300, std::chrono::hours(3)}, "le", start);
  EXPECT_EQ(at(0), "new");
  issue();
  EXPECT_EQ(at(60), "due");
}

TEST_F(DomainStateTest, AnExpiredCertificateShowsOverAnError) {
  issue();
  domain.last_error.emplace();
  EXPECT_EQ(at(91), "expired");
}

TEST_F(DomainStateTest, DisabledShowsOverEverything) {
  issue();
  domain.enabled = false;
  EXPECT_EQ(at(91), "disabled");
}

}  // namespace
}  // namespace certherd::policy
