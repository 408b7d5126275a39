#include <fmt/format.h>
#include <gmock/gmock.h>

#include <boost/json.hpp>

#include "end_to_end.hpp"
#include "pebble_log.hpp"

namespace certherd::e2e {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using Kind = CaRequest::Kind;

constexpr auto site = "site-0001.fleet.test";
constexpr Duration year = 24h * 365;

/// This machine's clock is a year off, in either direction.
class WrongClock : public OnStage, public testing::WithParamInterface<int> {
 protected:
  void SetUp() override {
    set_stage({.domains = 1, .environment = {{"PEBBLE_WFE_NONCEREJECT", "0"}}});
  }

  Duration shift() const { return year * GetParam(); }

  /// What the wrong clock shows, to the day.
  std::string wrong_day() { return format_time(loop().clock().now() + shift()).substr(0, 10); }

  Ended run_at_wrong_time(std::vector<std::string> arguments) {
    auto call = this->call(std::move(arguments));
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(shift());
    call.environment = {{"LD_PRELOAD", CERTHERD_SHIFTED_CLOCK},
                        {"CERTHERD_TEST_SHIFT", std::to_string(seconds.count())}};
    return Program(loop(), call).wait();
  }
};

TEST_P(WrongClock, IsNamedWhereTheCasHttpsCannotBeTrusted) {
  set_proxy({.begins = -24h, .ends = 24h * 30});
  add_inventory();
  const auto checked = run_at_wrong_time({"config", "check"});
  EXPECT_EQ(checked.status, 1);
  EXPECT_THAT(checked.out, AllOf(HasSubstr("clock of this machine says"), HasSubstr(wrong_day())));
  const auto issued = run_at_wrong_time({"issue", site});
  EXPECT_EQ(issued.status, 1);
  EXPECT_THAT(issued.err, AllOf(HasSubstr("clock of this machine says"), HasSubstr(wrong_day())));
  EXPECT_EQ(proxy_->count(Kind::new_order), 0);

  const auto right = run({"--json", "run", "--once"});
  EXPECT_EQ(right.status, 0) << right.err << right.out;
  EXPECT_EQ(read_pebble_log(pebble_log()).issued.size(), 1U);
}

TEST_P(WrongClock, CostsNoCertificate) {
  set_proxy({.begins = -2 * year, .ends = 2 * year});
  add_inventory();
  const auto issued = run_at_wrong_time({"--json", "issue", site});
  EXPECT_EQ(issued.status, 1) << issued.err;
  const auto document = issued.json();
  const auto& error = document.at("results").at(0).at("error");
  EXPECT_EQ(error.at("kind").as_string(), "misconfigured") << error;
  EXPECT_THAT(issued.err, AllOf(HasSubstr("clock of this machine says"), HasSubstr(wrong_day())));
  EXPECT_THAT(read_pebble_log(pebble_log()).issued, IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(path("vault") / site));

  // As soon as the clock is right, without anybody asking for that domain.
  const auto right = run({"--json", "run", "--once"});
  EXPECT_EQ(right.status, 0) << right.err << right.out;
  EXPECT_EQ(right.json().at("results").at(0).at("served"), true);
  EXPECT_EQ(proxy_->count(Kind::new_order), 1);
  EXPECT_EQ(read_pebble_log(pebble_log()).issued.size(), 1U);
}

INSTANTIATE_TEST_SUITE_P(AYear, WrongClock, testing::Values(-1, 1), [](const auto& info) {
  return std::string(info.param < 0 ? "behind" : "ahead");
});

}  // namespace
}  // namespace certherd::e2e
