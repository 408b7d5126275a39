#include <fmt/chrono.h>
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <map>
#include <mutex>
#include <optional>
#include <set>

#include "end_to_end.hpp"
#include "sim/boulder_limits.hpp"

namespace certherd::e2e {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using Kind = CaRequest::Kind;

/// How many domains there are, and how many of them are in one registered domain.
struct Fleet {
  int domains = 60;
  int in_the_large_one = 51;
  int orders = 50;  ///< that may be placed at one moment; as many come back in as long as ever
};

// A thousand where the long runs give a seed: then the last one's turn comes after three minutes.
Fleet fleet_of_this_run() {
  if (std::getenv("CERTHERD_SEED") == nullptr) return {};
  return {.domains = 1'000, .in_the_large_one = 65, .orders = 300};
}

constexpr int in_a_small_one = 45;
constexpr auto order_period = 36s;  // for each of the orders

std::string zone_name(int number) { return fmt::format("brand-{:02}.test", number); }

std::vector<std::string> names_in(const json::value& order) {
  std::vector<std::string> names;
  for (const auto& identifier : order.at("identifiers").as_array()) {
    names.emplace_back(identifier.at("value").as_string());
  }
  return names;
}

std::string path_of(const json::value& url) {
  const std::string text(url.as_string());
  return text.substr(text.find('/', text.find("://") + 3));
}

/// A Pebble that keeps to Let's Encrypt's limits, with all periods divided by a thousand.
class LimitedCa : public OnStage {
 protected:
  void SetUp() override {
    // Boulder looks at the nonce before it counts an order, and the proxy does not.
    set_stage({.domains = 1, .environment = {{"PEBBLE_WFE_NONCEREJECT", "0"}}});
    set_proxy();
    std::string zones;
    std::string inventory = "domain\n";
    for (int i = 0; i < fleet_.domains; ++i) {
      const int rest = i - fleet_.in_the_large_one;
      const int zone = rest < 0 ? 0 : 1 + rest / in_a_small_one;
      inventory += fmt::format("site-{:04}.{}\n", i, zone_name(zone));
      const auto quoted = fmt::format("\"{}\"", zone_name(zone));
      if (zones.find(quoted) == std::string::npos) zones += (zones.empty() ? "" : ", ") + quoted;
    }
    configure("zones = [\"fleet.test\"]", "zones = [" + zones + "]");
    configure("targets = [\"nginx\"]", "targets = []");
    configure("requests_at_once = 1\n",
              fmt::format("requests_at_once = 1\n"
                          "limits = {{ preset = \"letsencrypt\", new_orders = \"{}/{}ms\", "
                          "certificates_per_domain = \"50/604800ms\", "
                          "certificates_for_same_names = \"5/604800ms\", "
                          "failed_validations = \"5/3600ms\" }}\n",
                          fleet_.orders, fleet_.orders * order_period / 1s));
    limits_.emplace(sim::BoulderLimits::Options{
        .divided_by = 1'000, .orders = {fleet_.orders, fleet_.orders * order_period}});
    proxy_->set_hook([this](const CaRequest& request, const CaProxy::Forward& forward) {
      return answer(request, forward);
    });
    const auto imported = run({"domain", "import", "-"}, inventory);
    ASSERT_EQ(imported.status, 0) << imported.err;
  }

  CaAnswer answer(const CaRequest& request, const CaProxy::Forward& forward) {
    if (request.kind == Kind::new_order) {
      const auto names = names_in(request.payload());
      const std::scoped_lock lock(mutex_);
      if (const auto refusal = limits_->new_order("account", names, false, now())) {
        refusals_.push_back(fmt::format("{}: {} ({} too early)", names.front(), refusal->detail,
                                        refusal->retry_in));
        auto refused = problem_answer("rateLimited", refusal->detail, 429);
        const auto seconds = std::chrono::ceil<std::chrono::seconds>(refusal->retry_in).count();
        set_header(refused, "Retry-After", std::to_string(seconds));
        return refused;
      }
    }
    auto answer = forward();
    const std::scoped_lock lock(mutex_);
    if (request.kind == Kind::new_order && answer.status == 201) {
      const auto order = json::parse(answer.body);
      orders_[path_of(order.at("finalize"))] = names_in(order);
    }
    if (request.kind == Kind::finalize && answer.status == 200) {
      limits_->issued(orders_.at(request.path), now());
      last_issued_ = now();
    }
    return answer;
  }

  static Time now() {
    return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  }

  const Fleet fleet_ = fleet_of_this_run();
  std::mutex mutex_;
  std::optional<sim::BoulderLimits> limits_;                // under mutex_
  std::map<std::string, std::vector<std::string>> orders_;  // by the path of finalize, likewise
  std::vector<std::string> refusals_;                       // likewise
  Time last_issued_;                                        // likewise
};

TEST_F(LimitedCa, IsNeverMadeToRefuseAndThePlanKnewWhenItWouldBeDone) {
  ASSERT_EQ(run({"account", "register"}).status, 0);
  const auto planned = run({"--json", "plan"});
  ASSERT_EQ(planned.status, 0) << planned.err;
  const auto plan = planned.json();
  EXPECT_EQ(plan.at("due"), fleet_.domains);
  std::set<std::string> limits;
  for (const auto& item : plan.at("items").as_array()) {
    if (!item.at("limited_by").is_null()) limits.emplace(item.at("limited_by").as_string());
  }
  EXPECT_THAT(limits, testing::UnorderedElementsAre(
                          "50 certificates for brand-00.test in 604800ms at pebble",
                          fmt::format("{} new orders in {}ms at pebble", fleet_.orders,
                                      fleet_.orders * order_period / 1s)));
  const auto begun = parse_time(std::string(plan.at("now").as_string()));
  const auto predicted = parse_time(std::string(plan.at("finish_at").as_string()));
  ASSERT_TRUE(begun && predicted);

  // Who would have to wait for longer than one run does is put off to the next one.
  int status = 1;
  for (int runs = 0; status == 1 && runs < 20; ++runs) {
    const auto ended = Program(loop(), call({"--json", "run", "--once"})).wait(5min);
    status = ended.status;
    ASSERT_EQ(ended.json().at("summary").at("failed"), 0) << ended.err;
  }
  EXPECT_EQ(status, 0);
  EXPECT_EQ(proxy_->count(Kind::new_order), fleet_.domains);
  EXPECT_THAT(refusals_, testing::IsEmpty());
  // The plan tells when the last one may be ordered; until it is there takes seconds, which are
  // not divided by a thousand.
  const auto took = last_issued_ - *begun;
  EXPECT_GE(last_issued_, *predicted - 1s);
  EXPECT_LE(last_issued_, *predicted + took / 20 + 10s)
      << "predicted " << format_time(*predicted) << ", was " << format_time(last_issued_);
}

}  // namespace
}  // namespace certherd::e2e
