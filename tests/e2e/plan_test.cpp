#include <gmock/gmock.h>

#include <boost/json.hpp>

#include "end_to_end.hpp"

namespace certherd::e2e {
namespace {

namespace json = boost::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::vector<std::string> names_in(const json::value& plan) {
  std::vector<std::string> names;
  for (const auto& item : plan.at("items").as_array()) {
    names.emplace_back(item.at("domain").as_string());
  }
  return names;
}

class PlanCommand : public OnStage {
 protected:
  json::value plan(std::vector<std::string> arguments = {}) {
    arguments.insert(arguments.begin(), {"--json", "plan"});
    const auto ended = run(std::move(arguments));
    EXPECT_EQ(ended.status, 0) << ended.err;
    return ended.json();
  }
};

TEST_F(PlanCommand, SaysWhatARunWouldDoAndTheRunDoesIt) {
  set_stage({.domains = 3, .domain_blocklist = {"blocked.fleet.test"}});
  add_inventory();
  ASSERT_EQ(run({"domain", "add", "blocked.fleet.test"}).status, 0);
  ASSERT_EQ(run({"domain", "add", "off.fleet.test", "--set", "enabled=false"}).status, 0);

  const auto before = plan();
  EXPECT_EQ(before.at("due"), 4);
  EXPECT_EQ(before.at("finish_at"), before.at("now"));
  EXPECT_THAT(names_in(before), ElementsAre("blocked.fleet.test", "site-0001.fleet.test",
                                            "site-0002.fleet.test", "site-0003.fleet.test"));
  for (const auto& item : before.at("items").as_array()) {
    EXPECT_EQ(item.at("action"), "issue") << item;
    EXPECT_EQ(item.at("at"), before.at("now")) << item;
    EXPECT_TRUE(item.at("limited_by").is_null()) << item;
    EXPECT_TRUE(item.at("not_after").is_null()) << item;
    EXPECT_TRUE(item.at("error").is_null()) << item;
  }
  EXPECT_EQ(run({"run", "--once"}).status, 1);

  // What was issued is not due; what failed waits, and the next run agrees on until when.
  const auto after = plan();
  EXPECT_EQ(after.at("due"), 1);
  ASSERT_THAT(names_in(after), ElementsAre("blocked.fleet.test"));
  const auto& held = after.at("items").at(0);
  EXPECT_EQ(held.at("action"), "issue");
  EXPECT_EQ(held.at("limited_by"), "the pause after 1 failure");
  EXPECT_EQ(held.at("error").at("kind"), "rejected");
  EXPECT_EQ(after.at("finish_at"), held.at("at"));
  EXPECT_GT(held.at("at").as_string(), after.at("now").as_string());
  const auto again = run({"--json", "run", "--once"});
  EXPECT_EQ(again.status, 1) << again.err;
  for (const auto& result : again.json().at("results").as_array()) {
    if (result.at("domain") == "blocked.fleet.test") {
      EXPECT_EQ(result.at("outcome"), "deferred");
      EXPECT_EQ(result.at("error").at("retry_at"), held.at("at"));
    } else {
      EXPECT_EQ(result.at("outcome"), "current") << result;
    }
  }

  // By name, or with --all, what is not due is shown too, with the time when it will be.
  const auto named = plan({"site-0002.fleet.test"});
  EXPECT_EQ(named.at("due"), 0);
  EXPECT_TRUE(named.at("finish_at").is_null());
  ASSERT_THAT(names_in(named), ElementsAre("site-0002.fleet.test"));
  EXPECT_EQ(named.at("items").at(0).at("action"), "none");
  EXPECT_GT(named.at("items").at(0).at("at").as_string(), named.at("now").as_string());
  EXPECT_EQ(names_in(plan({"--all"})).size(), 4U);

  const auto table = run({"plan"});
  EXPECT_THAT(table.out, AllOf(HasSubstr("blocked.fleet.test"), HasSubstr("1 of 4 due"),
                               HasSubstr("1 held back"), HasSubstr("next site-")));
  EXPECT_THAT(table.out, Not(HasSubstr("off.fleet.test")));
}

using PlanAlone = EndToEnd;

TEST_F(PlanAlone, AnEmptyInventoryHasAnEmptyPlan) {
  ASSERT_EQ(run({"init"}).status, 0);
  const auto ended = run({"--json", "plan"});
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_EQ(ended.json().at("due"), 0);
  EXPECT_TRUE(ended.json().at("finish_at").is_null());
  EXPECT_THAT(ended.json().at("items").as_array(), IsEmpty());
  EXPECT_THAT(run({"plan"}).out, HasSubstr("0 of 0 due"));
}

TEST_F(PlanAlone, WhatCannotBePlannedIsToldByItsName) {
  ASSERT_EQ(run({"init"}).status, 0);
  ASSERT_EQ(run({"domain", "add", "off.example.com", "--set", "enabled=false"}).status, 0);
  const auto off = run({"plan", "off.example.com"});
  EXPECT_EQ(off.status, 2);
  EXPECT_THAT(off.err, AllOf(HasSubstr("off.example.com"), HasSubstr("disabled")));
  const auto lost = run({"plan", "lost.example.com"});
  EXPECT_EQ(lost.status, 2);
  EXPECT_THAT(lost.err, HasSubstr("lost.example.com"));
}

}  // namespace
}  // namespace certherd::e2e
