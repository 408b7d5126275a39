#include <fmt/format.h>
#include <gmock/gmock.h>

#include <boost/json.hpp>
#include <map>
#include <mutex>

#include "end_to_end.hpp"

namespace certherd::e2e {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using Kind = CaRequest::Kind;

/// Gives the answer a header besides.
CaAnswer with(CaAnswer answer, const std::string& name, const std::string& value) {
  set_header(answer, name, value);
  return answer;
}

/// How a CA refuses an order, and what a person gets to see.
struct Refusal {
  CaAnswer answer;
  std::string outcome;
  std::string kind;
  testing::Matcher<std::string> words;
  Duration put_off;  ///< at least so long from the start
};

std::vector<Refusal> refusals() {
  auto action = problem_answer("userActionRequired", "Our terms have changed.", 403);
  edit(action,
       [](json::object& problem) { problem["instance"] = "https://ca.test/agree?token=7"; });
  set_header(action, "Link", "<https://ca.test/terms-v2>;rel=\"terms-of-service\"");

  auto several = problem_answer("compound", "Two names are refused.", 403);
  edit(several, [](json::object& problem) {
    problem["subproblems"] =
        json::array{{{"type", "urn:ietf:params:acme:error:caa"},
                     {"detail", "CAA forbids it"},
                     {"identifier", {{"type", "dns"}, {"value", "first.example"}}}},
                    {{"type", "urn:ietf:params:acme:error:rejectedIdentifier"},
                     {"detail", "on our list"},
                     {"identifier", {{"type", "dns"}, {"value", "second.example"}}}}};
  });

  const auto limited = problem_answer("rateLimited", "Too many certificates.", 429);
  return {
      {action, "failed", "misconfigured",
       AllOf(HasSubstr("Our terms have changed."), HasSubstr("https://ca.test/agree?token=7"),
             HasSubstr("https://ca.test/terms-v2")),
       1min},
      {several, "failed", "rejected", HasSubstr("Two names are refused."), 1min},
      {with(limited, "Retry-After", "7200"), "deferred", "throttled", HasSubstr("Too many"), 2h},
      {with(limited, "Retry-After", "Fri, 01 Jan 2100 00:00:00 GMT"), "deferred", "throttled",
       HasSubstr("Too many"), std::chrono::days(6)},
      {problem_answer("rateLimited", "Paused: https://ca.test/lift?id=3", 429), "failed",
       "rejected", HasSubstr("https://ca.test/lift?id=3"), 23h},
      {with(html_answer(503), "Retry-After", "600"), "failed", "transient",
       AllOf(HasSubstr("503"), HasSubstr("text/html")), 10min},
      {problem_answer("fromTheFuture", "You would not understand.", 400), "failed", "rejected",
       HasSubstr("You would not understand."), 1min},
  };
}

class RefusedByTheCa : public OnStage {
 protected:
  void set_up(int domains) {
    set_stage({.domains = domains});
    set_proxy();
    add_inventory();
  }
};

TEST_F(RefusedByTheCa, EachDomainGetsTheCasWordsAndTheHealthyOneItsCertificate) {
  const auto all = refusals();
  set_up(static_cast<int>(all.size()) + 1);
  std::mutex mutex;
  std::map<std::string, std::size_t> drawn;  // by domain, which refusal it gets
  proxy_->set_hook([&](const CaRequest& request, const CaProxy::Forward& forward) {
    if (request.kind != Kind::new_order) return forward();
    const auto order = request.payload();
    const std::string name(order.at("identifiers").at(0).at("value").as_string());
    const std::scoped_lock lock(mutex);
    const auto index = drawn.try_emplace(name, drawn.size()).first->second;
    return index < all.size() ? all.at(index).answer : forward();
  });

  const Time begun = loop().clock().now();
  const auto issued = run({"--json", "issue", "--all"});
  EXPECT_EQ(issued.status, 1) << issued.err;
  const auto document = issued.json();
  EXPECT_EQ(document.at("summary").at("issued"), 1);
  for (const auto& result : document.at("results").as_array()) {
    const auto index = drawn.at(std::string(result.at("domain").as_string()));
    if (index == all.size()) {
      EXPECT_EQ(result.at("outcome"), "issued");
      continue;
    }
    const auto& expected = all.at(index);
    const auto& error = result.at("error").as_object();
    EXPECT_EQ(result.at("outcome").as_string(), expected.outcome) << error;
    EXPECT_EQ(error.at("kind").as_string(), expected.kind) << error;
    EXPECT_THAT(std::string(error.at("detail").as_string()), expected.words);
    const auto retry_at = parse_time(std::string(error.at("retry_at").as_string()));
    ASSERT_TRUE(retry_at) << error;
    EXPECT_GE(*retry_at, begun + expected.put_off - 1s) << error;
    EXPECT_LE(*retry_at, begun + std::chrono::days(7) + 5min) << error;
  }
  // Each name of a refusal of several has a cause of its own.
  EXPECT_THAT(issued.err, HasSubstr("first.example: CAA forbids it"));
  EXPECT_THAT(issued.err, HasSubstr("second.example: on our list"));
}

TEST_F(RefusedByTheCa, EachRequestNamesTheProgramAndALanguage) {
  set_up(1);
  std::mutex mutex;
  std::vector<http::Headers> sent;
  proxy_->set_hook([&](const CaRequest& request, const CaProxy::Forward& forward) {
    const std::scoped_lock lock(mutex);
    sent.push_back(request.headers);
    return forward();
  });
  EXPECT_EQ(run({"account", "register"}).status, 0);
  const auto issued = run({"run", "--once"});
  EXPECT_EQ(issued.status, 0) << issued.err;
  EXPECT_GE(sent.size(), 8U);
  for (const auto& headers : sent) {
    EXPECT_THAT(headers,
                testing::Contains(testing::Pair("user-agent", testing::StartsWith("certherd/"))));
    EXPECT_THAT(headers, testing::Contains(testing::Pair("accept-language", "en")));
    EXPECT_THAT(headers,
                testing::Not(testing::Contains(testing::Pair("replay-nonce", testing::_))));
  }
}

}  // namespace
}  // namespace certherd::e2e
