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

constexpr int wrong_usage = 2;

std::string numbered(int count, const std::string& owner) {
  std::string text = "domain,owner\n";
  for (int i = 0; i < count; ++i) {
    text += "site-" + std::to_string(i) + ".example.com," + owner + "\n";
  }
  return text;
}

/// The commands on the inventory, in a folder made by init.
class Inventory : public EndToEnd {
 protected:
  void SetUp() override { ASSERT_EQ(run({"init"}).status, 0); }

  std::string exported() {
    const auto ended = run({"domain", "export"});
    EXPECT_EQ(ended.status, 0) << ended.err;
    return ended.out;
  }

  std::vector<std::string> listed(const std::string& where) {
    const auto ended = run({"--json", "domain", "list", "--where", where});
    EXPECT_EQ(ended.status, 0) << ended.err;
    std::vector<std::string> names;
    for (const auto& each : ended.json().at("domains").as_array()) {
      names.emplace_back(each.at("domain").as_string());
    }
    return names;
  }

  /// Runs it with that input, expects a refusal that changes nothing, and gives what it said.
  std::string refused(std::vector<std::string> arguments, const std::string& input = {}) {
    const auto before = exported();
    const auto ended = run(std::move(arguments), input);
    EXPECT_EQ(ended.status, wrong_usage) << ended.err;
    EXPECT_THAT(ended.out, IsEmpty());
    EXPECT_EQ(exported(), before);
    return ended.err;
  }
};

TEST_F(Inventory, AnEmptyOneSaysHowToBegin) {
  const auto listing = run({"domain", "list"});
  EXPECT_EQ(listing.status, 0);
  EXPECT_THAT(listing.out, IsEmpty());
  EXPECT_THAT(listing.err, AllOf(HasSubstr("empty"), HasSubstr("certherd domain add")));
  EXPECT_EQ(run({"--json", "domain", "list"}).json(), json::value({{"domains", json::array{}}}));
}

TEST_F(Inventory, ABadNameIsToldAtOnceWithTheRule) {
  EXPECT_THAT(refused({"domain", "add", "my..host.example.com"}),
              HasSubstr("\"my..host.example.com\": it has an empty label"));
  EXPECT_THAT(refused({"domain", "add", "localhost"}), HasSubstr("one label"));
  EXPECT_THAT(refused({"domain", "add", "a_b.example.com"}), HasSubstr("underscore"));
  EXPECT_THAT(refused({"domain", "add", "www.*.example.com"}), HasSubstr("wildcard"));
  EXPECT_THAT(refused({"domain", "add", "ab--cd.example.com"}), HasSubstr("hyphens"));
  EXPECT_THAT(refused({"domain", "add", "1.2.3.4.5.6.7.8.9.example.com"}), HasSubstr("11 labels"));
  EXPECT_THAT(refused({"domain", "add", std::string(64, 'a') + ".example.com"}),
              HasSubstr("longer than 63"));
  std::string longest;
  for (int i = 0; i < 5; ++i) longest += std::string(60, 'a') + ".";
  EXPECT_THAT(refused({"domain", "add", longest + "com"}), HasSubstr("longer than 253"));
  EXPECT_THAT(refused({"domain", "add", "\xff.example.com"}), HasSubstr("UTF-8"));
  EXPECT_THAT(refused({"domain", "add", "💩.example.com"}), HasSubstr("no valid IDN"));
}

TEST_F(Inventory, ADuplicateSaysWhichAndWhatToDo) {
  ASSERT_EQ(run({"domain", "add", "www.bücher.com"}).status, 0);
  EXPECT_THAT(refused({"domain", "add", "WWW.xn--bcher-kva.com."}),
              AllOf(HasSubstr("www.xn--bcher-kva.com: is in the inventory already"),
                    HasSubstr("domain set"), HasSubstr("domain sync")));
}

TEST_F(Inventory, EachCommandTakesUnicodeNames) {
  ASSERT_EQ(run({"domain", "add", "bücher.example.com", "--name", "*.Bücher.example.com"}).status,
            0);
  for (const std::string name : {"BÜCHER.example.com", "xn--bcher-kva.example.com."}) {
    EXPECT_THAT(run({"domain", "show", name}).out, HasSubstr("*.xn--bcher-kva.example.com"));
    EXPECT_THAT(run({"log", name}).out, HasSubstr("domain.added"));
    EXPECT_EQ(run({"domain", "set", name, "note=" + name}).status, 0);
    EXPECT_EQ(run({"domain", "remove", name}).status, 0);
    EXPECT_EQ(run({"domain", "add", name, "--name", "*.Bücher.example.com"}).status, 0);
  }
  EXPECT_THAT(listed("domain=Bücher.example.com"), ElementsAre("xn--bcher-kva.example.com"));
}

TEST_F(Inventory, ANameUnderNoPublicSuffixIsAWarningWithTheLimitsOfAPublicCa) {
  const auto added = run({"--json", "domain", "add", "printer.corp"});
  EXPECT_EQ(added.status, 0) << added.err;
  EXPECT_THAT(added.err, AllOf(HasSubstr("warning"), HasSubstr("[ca.letsencrypt]"),
                               HasSubstr("under no public suffix")));
  ASSERT_EQ(added.json().at("warnings").as_array().size(), 1U);
  EXPECT_EQ(run({"--json", "domain", "add", "www.example.com"}).json().at("warnings"),
            json::array{});
}

TEST_F(Inventory, TwoDomainsThatShareANameAreAWarning) {
  ASSERT_EQ(run({"domain", "add", "a.example.com", "--name", "www.example.com"}).status, 0);
  const auto added = run({"domain", "add", "b.example.com", "--name", "www.example.com"});
  EXPECT_EQ(added.status, 0);
  EXPECT_THAT(added.err, HasSubstr("www.example.com stands on the certificates of both"));
}

TEST_F(Inventory, MetadataThatWasMeantForAColumnIsAWarning) {
  const auto imported = run({"domain", "import", "-"}, "domain,endpoint\na.example.com,x:1\n");
  EXPECT_EQ(imported.status, 0);
  EXPECT_THAT(imported.err,
              AllOf(HasSubstr("\"endpoint\" is kept as metadata"), HasSubstr("\"endpoints\"")));
}

TEST_F(Inventory, SetChangesAndClears) {
  ASSERT_EQ(run({"domain", "add", "a.example.com", "--set", "team=7"}).status, 0);
  const auto changed = run({"--json", "domain", "set", "a.example.com", "owner=web",
                            "team=", "names=www.a.example.com", "enabled=no", "profile=short"});
  EXPECT_EQ(changed.status, 0) << changed.err;
  const auto document = changed.json();
  const auto& columns = document.at("columns");
  EXPECT_EQ(columns.at("team"), json::value({{"from", "7"}, {"to", ""}}));
  EXPECT_EQ(columns.at("enabled"), json::value({{"from", "true"}, {"to", "false"}}));
  EXPECT_EQ(columns.as_object().size(), 5U);
  const auto shown = run({"--json", "domain", "show", "a.example.com"}).json();
  EXPECT_EQ(shown.at("owner").as_string(), "web");
  EXPECT_EQ(shown.at("metadata"), json::object{});
  EXPECT_EQ(shown.at("names").as_array().size(), 2U);
  EXPECT_EQ(shown.at("state").as_string(), "disabled");

  const auto again = run({"--json", "domain", "set", "a.example.com", "owner=web"});
  EXPECT_EQ(again.status, 0);
  EXPECT_EQ(again.json().at("columns"), json::object{});
}

TEST_F(Inventory, AHeldDomainShowsWhatHoldsIt) {
  ASSERT_EQ(run({"domain", "add", "a.example.com", "--set", "window=sat,sun 02:00-05:00"}).status,
            0);
  ASSERT_EQ(run({"domain", "set", "a.example.com", "hold=yes"}).status, 0);
  const auto shown = run({"--json", "domain", "show", "a.example.com"}).json();
  EXPECT_EQ(shown.at("hold").as_string(), "yes");
  EXPECT_EQ(shown.at("window").as_string(), "sat,sun 02:00-05:00");
  EXPECT_TRUE(shown.at("next_at").is_null());
  const auto plan = run({"--json", "plan"}).json();
  EXPECT_EQ(plan.at("due").as_int64(), 1);
  EXPECT_TRUE(plan.at("finish_at").is_null());
  EXPECT_TRUE(plan.at("items").at(0).at("at").is_null());
  EXPECT_EQ(plan.at("items").at(0).at("limited_by").as_string(), "a hold without an end");
  EXPECT_THAT(run({"plan"}).out, HasSubstr("1 of 1 due · 1 held without an end"));
  const auto once = run({"run", "--once"});
  EXPECT_EQ(once.status, 0) << once.err;
  EXPECT_THAT(once.err, HasSubstr("1 domain is held and left out"));
}

TEST_F(Inventory, SetRefusesWhatCannotBe) {
  ASSERT_EQ(run({"domain", "add", "a.example.com"}).status, 0);
  const auto set = [this](const std::string& setting) {
    return refused({"domain", "set", "a.example.com", "owner=lost", setting});
  };
  EXPECT_THAT(set("key=dsa"), HasSubstr("key: \"dsa\""));
  EXPECT_THAT(set("domain=b.example.com"), HasSubstr("cannot be changed"));
  EXPECT_THAT(set("names=b..c"), HasSubstr("empty label"));
  EXPECT_THAT(set("vault=moon"), HasSubstr("[vault.moon]"));
  EXPECT_THAT(set("Owner=web"), HasSubstr("written \"owner\""));
  EXPECT_THAT(set("owner=twice"), HasSubstr("given twice"));
  EXPECT_THAT(set("nothing"), HasSubstr("KEY=VALUE"));
  EXPECT_THAT(set("note=\xff"), HasSubstr("UTF-8"));
  EXPECT_THAT(refused({"domain", "set", "b.example.com", "owner=web"}), HasSubstr("b.example.com"));
}

TEST_F(Inventory, ABadFileChangesNothingAndEachBadRowIsNamedByItsLine) {
  ASSERT_EQ(run({"domain", "add", "there.example.com"}).status, 0);
  const std::string file =
      "domain,owner,key,endpoints,enabled,ca,note\n"
      "good.example.com,,,,,,\n"
      "bad..example.com,,,,,,\n"
      "two.example.com,\"a\nb\",dsa,,,,\n"
      "short.example.com\n"
      "good.example.com,,,,,,\n"
      "there.example.com,,,,,,\n"
      "x.example.com,,,x.example.com:99999,perhaps,moon,\n"
      "y.example.com,b\xfc,,,,,\n";
  for (const auto* command : {"import", "sync"}) {
    const auto told = refused({"domain", command, "-"}, file);
    EXPECT_THAT(told,
                AllOf(HasSubstr("nothing was changed"), HasSubstr("line 3: domain: "),
                      HasSubstr("line 4: key: "), HasSubstr("line 6: has 1 fields"),
                      HasSubstr("stands already in line 2"), HasSubstr("line 9: endpoints"),
                      HasSubstr("line 9: enabled"), HasSubstr("line 10: owner: is not UTF-8")));
    EXPECT_THAT(told, Not(HasSubstr("line 2:")));
  }
  EXPECT_THAT(refused({"domain", "import", "-"}, file),
              HasSubstr("line 8: there.example.com: is in the inventory already"));
  EXPECT_THAT(refused({"domain", "import", "-"}, "domain,ca,targets\na.example.com,moon,sun\n"),
              AllOf(HasSubstr("line 2: ca: there is no [ca.moon]"),
                    HasSubstr("line 2: targets: there is no [target.sun]")));
  EXPECT_THAT(refused({"domain", "import", "-"}, "domain,owner,owner\n"), HasSubstr("line 1"));
  EXPECT_THAT(refused({"domain", "import", "-"}, "domain\n\"a.example.com\n"),
              HasSubstr("line 2: a quotation mark is opened"));
  EXPECT_THAT(refused({"domain", "import", "-"}, "{\"domain\": \"a.example.com\"}\n{\"domain\"\n"),
              HasSubstr("line 2: is no JSON"));
  EXPECT_THAT(refused({"domain", "import", "-"}, ""), HasSubstr("is empty"));
}

TEST_F(Inventory, TheFaultsOfAFileAreJsonToo) {
  const auto ended = run({"--json", "domain", "import", "-"}, "domain\nbad..example.com\n");
  EXPECT_EQ(ended.status, wrong_usage);
  const auto error = ended.json().at("error");
  EXPECT_EQ(error.at("kind").as_string(), "misconfigured");
  EXPECT_EQ(error.at("causes").at(0).at("op").as_string(), "line 2: domain");
}

TEST_F(Inventory, WhatIsExportedCanBeImportedWithoutLoss) {
  const std::string file =
      "domain,names,endpoints,owner,enabled,profile,\"a, column\",note\n"
      "bücher.example.com,*.bücher.example.com,h.example.com:8443@[::1],\" w "
      "\",no,short,\"x\"\"y\","
      "\"two\r\nlines\"\n"
      "b.example.com,,,例え,,,,=1+1\n";
  ASSERT_EQ(run({"domain", "import", "-"}, file).status, 0);
  const auto csv = exported();
  const auto lines = run({"domain", "export", "--format", "jsonl"}).out;
  const auto document = run({"--json", "domain", "export"}).out;
  for (const auto& text : {csv, lines, document}) {
    const auto synced = run({"domain", "sync", "-", "--prune"}, text);
    EXPECT_EQ(synced.out, "0 added · 0 changed · 0 disabled · 2 unchanged\n") << synced.err;
    ASSERT_EQ(run({"domain", "remove", "bücher.example.com", "b.example.com"}).status, 0);
    const auto imported = run({"domain", "import", "-"}, text);
    EXPECT_EQ(imported.status, 0) << imported.err;
    EXPECT_EQ(exported(), csv);
  }
}

TEST_F(Inventory, SyncMakesItEqualToAFile) {
  ASSERT_EQ(run({"domain", "import", "-"}, numbered(40, "web")).status, 0);
  auto file = numbered(39, "web") + "new.example.com,ops\n";
  file.replace(file.find("site-7.example.com,web"), 22, "site-7.example.com,ops");
  write_file(path("fleet.csv"), file);

  const auto before = exported();
  const auto dry = run({"--json", "domain", "sync", "fleet.csv", "--prune", "--dry-run"});
  EXPECT_EQ(dry.status, 0) << dry.err;
  EXPECT_EQ(exported(), before);
  const auto plan = dry.json();
  EXPECT_EQ(plan.at("added"), json::array{"new.example.com"});
  EXPECT_EQ(plan.at("disabled"), json::array{"site-39.example.com"});
  EXPECT_EQ(plan.at("changed").at(0).at("domain").as_string(), "site-7.example.com");
  EXPECT_EQ(plan.at("changed").at(0).at("columns").at("owner"),
            json::value({{"from", "web"}, {"to", "ops"}}));
  EXPECT_EQ(plan.at("unchanged").as_int64(), 38);
  EXPECT_FALSE(plan.at("written").as_bool());

  const auto synced = run({"domain", "sync", "fleet.csv", "--prune"});
  EXPECT_EQ(synced.status, 0) << synced.err;
  EXPECT_THAT(synced.out, AllOf(HasSubstr("+ new.example.com"), HasSubstr("- site-39.example.com"),
                                HasSubstr("~ site-7.example.com  owner: \"web\" → \"ops\""),
                                HasSubstr("1 added · 1 changed · 1 disabled · 38 unchanged")));
  EXPECT_THAT(listed("enabled=false"), ElementsAre("site-39.example.com"));
  EXPECT_THAT(listed("owner=ops"), ElementsAre("new.example.com", "site-7.example.com"));
  const auto log = run({"--json", "log", "site-7.example.com"}).json();
  EXPECT_EQ(log.at("events").at(1).at("event").as_string(), "domain.changed");
}

TEST_F(Inventory, SyncWantsAYesForMoreThanATenth) {
  ASSERT_EQ(run({"domain", "import", "-"}, numbered(40, "web")).status, 0);
  EXPECT_THAT(refused({"domain", "sync", "-"}, numbered(5, "ops")),
              AllOf(HasSubstr("change 5 and disable 0 of 40 domains"), HasSubstr("--yes")));
  EXPECT_THAT(refused({"domain", "sync", "-", "--prune"}, numbered(35, "web")),
              HasSubstr("disable 5 of 40"));
  EXPECT_EQ(run({"domain", "sync", "-"}, numbered(4, "ops")).status, 0);
  EXPECT_EQ(run({"domain", "sync", "-"}, numbered(80, "ops")).status, wrong_usage);
  EXPECT_EQ(run({"domain", "sync", "-", "--yes"}, numbered(80, "ops")).status, 0);
  EXPECT_EQ(listed("owner=ops").size(), 80U);
}

TEST_F(Inventory, ColumnsThatTheFileLacksStay) {
  ASSERT_EQ(run({"domain", "add", "a.example.com", "--set", "team=7", "--set", "owner=web", "--set",
                 "enabled=no"})
                .status,
            0);
  const auto synced = run({"domain", "sync", "-"}, "domain,owner\na.example.com,ops\n");
  EXPECT_EQ(synced.status, 0) << synced.err;
  EXPECT_THAT(synced.err, HasSubstr("stay disabled"));
  EXPECT_THAT(listed("team=7 owner=ops enabled=false"), ElementsAre("a.example.com"));
}

TEST_F(Inventory, IsSearchedByColumnsStateAndMetadata) {
  ASSERT_EQ(run({"domain", "import", "-"},
                "domain,owner,enabled,cost centre\na.example.com,web,,4 7\nb.example.com,web,no,\n"
                "c.example.com,ops,,\n")
                .status,
            0);
  EXPECT_THAT(listed("owner=web state=new"), ElementsAre("a.example.com"));
  EXPECT_THAT(listed("owner!=web"), ElementsAre("c.example.com"));
  EXPECT_THAT(listed("\"cost centre=4*\""), ElementsAre("a.example.com"));
  EXPECT_THAT(listed("domain=*.example.com state=disabled"), ElementsAre("b.example.com"));
  EXPECT_THAT(refused({"domain", "list", "--where", "onwer=web"}),
              AllOf(HasSubstr("onwer"), HasSubstr("owner"), HasSubstr("cost centre")));
  EXPECT_THAT(run({"domain", "list", "--where", "owner=nobody"}).out, IsEmpty());
  EXPECT_THAT(run({"domain", "export", "--where", "owner=ops"}).out,
              AllOf(HasSubstr("c.example.com"), Not(HasSubstr("a.example.com"))));
  EXPECT_THAT(run({"plan", "--where", "owner=ops"}).out,
              AllOf(HasSubstr("c.example.com"), Not(HasSubstr("a.example.com"))));
  EXPECT_THAT(refused({"issue", "--where", "domain=b*"}), HasSubstr("no enabled domain"));
  EXPECT_THAT(refused({"issue", "--where", "owner=web", "--all"}), HasSubstr("--where"));
}

TEST_F(Inventory, TwentyThousandRowsGoThroughAllOfIt) {
  const auto file = numbered(20'000, "web");
  const auto imported = run({"domain", "import", "-"}, file);
  EXPECT_EQ(imported.out, "20000 domains added\n") << imported.err;
  auto changed = file;
  for (auto at = changed.find("00.example.com,web"); at != std::string::npos;
       at = changed.find("00.example.com,web", at + 1)) {
    changed.replace(at + 15, 3, "ops");
  }
  const auto synced = run({"domain", "sync", "-", "--prune"}, changed);
  EXPECT_THAT(synced.out, HasSubstr("0 added · 199 changed · 0 disabled · 19801 unchanged"));
  EXPECT_EQ(listed("owner=ops").size(), 199U);
  EXPECT_EQ(run({"domain", "sync", "-"}, exported()).out,
            "0 added · 0 changed · 0 disabled · 20000 unchanged\n");
}

}  // namespace
}  // namespace certherd::e2e
