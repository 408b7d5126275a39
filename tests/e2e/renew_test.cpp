#include <gmock/gmock.h>

#include <boost/json.hpp>
#include <map>

#include "end_to_end.hpp"
#include "pebble_log.hpp"

namespace certherd::e2e {
namespace {

namespace json = boost::json;
using testing::AllOf;
using testing::HasSubstr;

class RenewCommand : public OnStage {
 protected:
  static constexpr int domains = 4;

  static std::string name(int number) {
    return "site-000" + std::to_string(number) + ".fleet.test";
  }

  void SetUp() override {
    set_stage({.domains = domains});
    add_inventory();
    const auto issued = run({"issue", "--all"});
    ASSERT_EQ(issued.status, 0) << issued.err;
  }

  std::map<std::string, std::string> serials() {
    std::map<std::string, std::string> serials;
    const auto list = run({"--json", "cert", "list"}).json();
    for (const auto& each : list.at("certificates").as_array()) {
      serials.emplace(each.at("domain").as_string(), each.at("serial").as_string());
    }
    return serials;
  }

  json::value renew(std::vector<std::string> arguments, int status, std::string input = {}) {
    arguments.insert(arguments.begin(), {"--json", "renew"});
    const auto ended = run(std::move(arguments), std::move(input));
    EXPECT_EQ(ended.status, status) << ended.err;
    return ended.json();
  }

  std::size_t issued() { return read_pebble_log(pebble_log()).issued.size(); }
};

TEST_F(RenewCommand, ReplacesTheChosenAndNoneTwice) {
  const auto before = serials();
  for (const int number : {1, 2}) {
    ASSERT_EQ(run({"domain", "set", name(number), "owner=web"}).status, 0);
  }
  ASSERT_EQ(run({"domain", "add", "new.fleet.test", "--set", "owner=web"}).status, 0);

  const auto foretold = renew({"--where", "owner=web", "--within", "1h", "--dry-run"}, 0);
  EXPECT_EQ(foretold.at("forecast").at("chosen"), 2);
  EXPECT_EQ(foretold.at("forecast").at("in_time"), 2);
  EXPECT_EQ(std::string(foretold.at("items").at(0).at("serial").as_string()), before.at(name(1)));
  EXPECT_EQ(foretold.at("left_out").at(0).at("domain"), "new.fleet.test");
  EXPECT_EQ(issued(), domains);

  // By their serials, of which one is of no certificate here.
  const auto list = "0x" + before.at(name(1)) + "\n" + before.at(name(2)) + "\n0bad  # elsewhere\n";
  const auto bad = run({"renew", "--serials", "-"}, list + "bad one\n");
  EXPECT_EQ(bad.status, 2);
  EXPECT_THAT(bad.err, AllOf(HasSubstr("line 4"), HasSubstr("bad one"), HasSubstr("nothing was")));
  const auto replaced = renew({"--serials", "-"}, 0, list);
  EXPECT_EQ(replaced.at("summary").at("issued"), 2);
  EXPECT_EQ(replaced.at("serials").at("unknown"), 1);
  EXPECT_EQ(issued(), domains + 2);
  const auto after = serials();
  for (int number = 1; number <= domains; ++number) {
    EXPECT_EQ(after.at(name(number)) == before.at(name(number)), number > 2) << number;
  }

  const auto again = renew({"--serials", "-"}, 0, list);
  EXPECT_EQ(again.at("forecast").at("chosen"), 0);
  EXPECT_EQ(again.at("serials").at("replaced"), 2);
  const auto by_term = "certificate.serial=" + before.at(name(1));
  EXPECT_EQ(renew({"--where", by_term}, 0).at("results").as_array().size(), 0U);
  EXPECT_THAT(run({"renew", "--where", by_term}).err, HasSubstr("nothing is left to replace"));
  EXPECT_EQ(issued(), domains + 2);

  const auto slip = run({"renew", "--where", "certificate.issuer=Nobody*"});
  EXPECT_EQ(slip.status, 2);
  EXPECT_THAT(slip.err, HasSubstr("Nobody"));
  const auto none = run({"renew", "new.fleet.test"});
  EXPECT_EQ(none.status, 2);
  EXPECT_THAT(none.err, HasSubstr("certherd issue"));
  EXPECT_EQ(run({"renew"}).status, 2);
  EXPECT_EQ(run({"renew", "--all", "--within", "soon"}).status, 2);
}

TEST_F(RenewCommand, SaysWhatWillBeLateAndWhatIsLateGoesOn) {
  configure("requests_at_once = 1\n",
            "requests_at_once = 1\nlimits = { preset = \"none\", new_orders = \"2/2h\" }\n");
  const auto foretold = run({"renew", "--all", "--within", "30m", "--dry-run"});
  EXPECT_EQ(foretold.status, 1);
  EXPECT_THAT(foretold.out, AllOf(HasSubstr("4 to replace · 2 done by"),
                                  HasSubstr("held up by 2 new orders in 2h at pebble"),
                                  HasSubstr("2 will not be done in time"), HasSubstr("ask the CA"),
                                  HasSubstr("--where")));
  const auto before = serials();

  // The third may be ordered two seconds after the first, which is too late.
  configure("2/2h", "2/4s");
  const auto late = run({"renew", "--all", "--within", "1s"});
  EXPECT_EQ(late.status, 1) << late.err;
  EXPECT_THAT(late.out, HasSubstr("not done by"));
  std::string list;
  for (const auto& [domain, serial] : before) list += serial + "\n";
  EXPECT_EQ(renew({"--serials", "-"}, 0, list).at("summary").at("failed"), 0);
  for (const auto& [domain, serial] : serials()) EXPECT_NE(serial, before.at(domain)) << domain;
  EXPECT_EQ(issued(), 2 * domains);
}

}  // namespace
}  // namespace certherd::e2e
