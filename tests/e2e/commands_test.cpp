#include <fmt/ranges.h>
#include <gmock/gmock.h>

#include <boost/json.hpp>
#include <filesystem>

#include "end_to_end.hpp"
#include "runtime/process.hpp"

namespace certherd::e2e {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr int wrong_usage = 2;

fs::perms permissions(const fs::path& file) { return fs::status(file).permissions(); }

std::vector<std::string> names_in(const json::value& list) {
  std::vector<std::string> names;
  for (const auto& entry : list.at("domains").as_array()) {
    names.emplace_back(entry.at("domain").as_string());
  }
  return names;
}

/// The commands that ask no CA, in a folder made by init.
class Commands : public EndToEnd {
 protected:
  void SetUp() override { ASSERT_EQ(run({"init"}).status, 0); }

  std::vector<std::string> domains() {
    const auto listed = run({"--json", "domain", "list"});
    EXPECT_EQ(listed.status, 0) << listed.err;
    return names_in(listed.json());
  }

  /// Runs a line of bash, in which $CERTHERD is the program.
  Ended in_shell(const std::string& line) {
    runtime::Command command;
    const auto out = path("shell.out").string();
    const auto err = path("shell.err").string();
    command.arguments = {
        "bash", "-c",
        fmt::format("cd {} && {{ {}; }} >{} 2>{}", folder().string(), line, out, err)};
    command.environment = {{"CERTHERD", program().string()}, {"CERTHERD_CONFIG", ""}};
    const Time deadline = loop().clock().now() + std::chrono::minutes(1);
    auto ended = loop().run(runtime::run_command(&loop(), std::move(command), deadline));
    EXPECT_TRUE(ended) << ended.error().message();
    return {
        .status = ended ? ended->exit_status : -1, .out = content_of(out), .err = content_of(err)};
  }

  /// The config made by init with one text replaced.
  void configure(const std::string& from, const std::string& to) {
    auto text = content_of(path("certherd.toml"));
    const auto at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    write_file(path("certherd.toml"), text.replace(at, from.size(), to));
  }
};

using Init = EndToEnd;

TEST_F(Init, WritesConfigKeyAndStoreForTheirOwnerAlone) {
  const auto made = run({"init", "--dir", "new"});
  EXPECT_EQ(made.status, 0) << made.err;
  EXPECT_THAT(made.out, HasSubstr("new/certherd.toml"));
  for (const auto* name : {"new/certherd.toml", "new/certherd.key", "new/state.db"}) {
    EXPECT_EQ(permissions(path(name)), fs::perms::owner_read | fs::perms::owner_write) << name;
  }
  const auto listed = run({"--config", "new/certherd.toml", "--json", "domain", "list"});
  EXPECT_EQ(listed.status, 0) << listed.err;
  EXPECT_THAT(names_in(listed.json()), IsEmpty());
}

TEST_F(Init, NamesWhatItWroteAsJson) {
  const auto made = run({"--json", "init"});
  EXPECT_EQ(made.status, 0) << made.err;
  EXPECT_EQ(made.json().at("config").as_string(), path("certherd.toml").string());
}

TEST_F(Init, NeverOverwritesAnyOfTheThree) {
  for (const auto* name : {"certherd.toml", "certherd.key", "state.db"}) {
    const auto place = std::string("has-") + name;
    fs::create_directory(path(place));
    write_file(path(place) / name, "mine");
    const auto refused = run({"init", "--dir", place});
    EXPECT_EQ(refused.status, wrong_usage) << name;
    EXPECT_THAT(refused.err, HasSubstr(name));
    EXPECT_EQ(content_of(path(place) / name), "mine");
    EXPECT_EQ(std::distance(fs::directory_iterator(path(place)), {}), 1) << name;
  }
}

TEST_F(Init, WithoutAnyConfigEachCommandSaysWhereItLookedAndHowToBegin) {
  const auto lost = run({"domain", "list"});
  EXPECT_EQ(lost.status, wrong_usage);
  EXPECT_THAT(lost.err, AllOf(HasSubstr(path("certherd.toml").string()), HasSubstr("init")));
}

TEST_F(Init, WithoutAnyConfigEachCommandIsOneJsonError) {
  const std::vector<std::vector<std::string>> commands = {
      {"config", "check"},
      {"account", "register"},
      {"account", "show"},
      {"account", "update"},
      {"account", "rotate-key"},
      {"account", "deactivate", "--yes"},
      {"domain", "add", "a.example.com"},
      {"domain", "import", "-"},
      {"domain", "list"},
      {"domain", "show", "a.example.com"},
      {"domain", "remove", "a.example.com"},
      {"doctor"},
      {"plan"},
      {"issue", "--all"},
      {"run", "--once"},
      {"cert", "list"},
      {"cert", "show", "a.example.com"},
      {"cert", "export", "a.example.com", "--dir", "out"},
      {"cert", "revoke", "a.example.com", "--yes"},
      {"deploy", "--all"},
      {"domain", "set", "a.example.com", "owner=web"},
      {"domain", "export"},
      {"domain", "sync", "-"},
      {"scan"},
      {"store", "reseal"},
      {"log"}};
  for (const auto& command : commands) {
    auto words = command;
    words.insert(words.begin(), {"--json", "--quiet"});
    const auto lost = run(words);
    const auto name = fmt::format("{}", fmt::join(command, " "));
    EXPECT_EQ(lost.status, wrong_usage) << name;
    EXPECT_EQ(lost.json().at("error").at("kind").as_string(), "misconfigured") << name;
    EXPECT_THAT(lost.err, HasSubstr("certherd init")) << name;
  }
}

TEST_F(Commands, TheConfigIsFoundByItsVariable) {
  auto elsewhere = call({"--json", "domain", "list"});
  elsewhere.folder = "/";
  elsewhere.environment["CERTHERD_CONFIG"] = path("certherd.toml");
  EXPECT_EQ(Program(loop(), elsewhere).wait().status, 0);
}

TEST_F(Commands, ConfigCheckNamesEveryFaultByFileLineAndKey) {
  write_file(path("certherd.toml"),
             "[store]\n"
             "url = \"mysql:here\"\n"
             "[ca.one]\n"
             "directory = \"http://example.com\"\n"
             "max_in_flight = 0\n"
             "[defaults]\n"
             "renew_at = \"soon\"\n"
             "renew_att = 0.5\n");
  const auto checked = run({"config", "check"});
  EXPECT_EQ(checked.status, wrong_usage);
  const auto file = path("certherd.toml").string();
  EXPECT_THAT(checked.err,
              AllOf(HasSubstr(file + ":2: store.url: "), HasSubstr(file + ":4: ca.one.directory: "),
                    HasSubstr(file + ":5: ca.one.max_in_flight: "),
                    HasSubstr(file + ":7: defaults.renew_at: "),
                    HasSubstr(file + ":8: defaults.renew_att: unknown key")));
  EXPECT_THAT(checked.out, IsEmpty());
}

TEST_F(Commands, EachFaultOfAConfigIsNamedByItsLineAndKeyAndNothingIsDone) {
  struct Fault {
    std::string text;
    std::string told;  ///< behind "FILE:"
  };
  const std::string ca = "[ca.one]\ndirectory = \"https://ca.example/directory\"\n";
  const std::vector<Fault> faults = {
      {.text = "colour = \"blue\"\n", .told = "1: colour: unknown key"},
      {.text = ca + "limit = 3\n", .told = "3: ca.one.limit: unknown key"},
      {.text = ca + "contact = \"ops@example.com\"\n", .told = "3: ca.one.contact: must be a list"},
      {.text = ca + "terms_of_service_agreed = \"yes\"\n",
       .told = "3: ca.one.terms_of_service_agreed: must be true or false"},
      {.text = ca + "max_in_flight = 1.5\n", .told = "3: ca.one.max_in_flight: must be a whole"},
      {.text = ca + "max_in_flight = 0\n", .told = "3: ca.one.max_in_flight: must be a whole"},
      {.text = ca + "finalize_within = \"3 minutes\"\n",
       .told = "3: ca.one.finalize_within: \"3 minutes\" is no duration"},
      {.text = ca + "finalize_within = 180\n", .told = "3: ca.one.finalize_within: must be a text"},
      {.text = ca + "account_key = \"dsa\"\n", .told = "3: ca.one.account_key: must be ecdsa-p256"},
      {.text = "[ca.one]\ndirectory = \"http://ca.example\"\n",
       .told = "2: ca.one.directory: must be the https:// URL"},
      {.text = "[ca]\none = 1\n", .told = "2: ca.one: must be a section of its own"},
      {.text = "[store]\nseal_key = \"certherd.key\"\n",
       .told = "2: store.seal_key: must be a table"},
      {.text = "[store]\nseal_key = {}\n", .told = "2: store.seal_key.env: name one place"},
      {.text = "[store]\nseal_key = { env = \"A\", file = \"b\" }\n",
       .told = "2: store.seal_key.env: name one place"},
      {.text = "[store]\nold_seal_keys = { file = \"b\" }\n",
       .told = "2: store.old_seal_keys: must be a list of tables"},
      {.text = "[store]\nurl = \"mysql://localhost/db\"\n", .told = "2: store.url: only sqlite"},
      {.text = "[vault.v]\ntype = \"cupboard\"\n", .told = "2: vault.v.type: \"cupboard\" is not"},
      {.text = "[vault.v]\ntype = \"directory\"\n",
       .told = "1: vault.v.path: must name the folder"},
      {.text = "[target.t]\ntype = \"files\"\npath = \"t\"\nmode = \"0644\"\n",
       .told = "4: target.t.mode: must be an octal text"},
      {.text = "[dns.d]\ntype = \"responder\"\nlisten = [\"here\"]\nzones = [\"a.example\"]\n",
       .told = "3: dns.d.listen: "},
      {.text = "[dns.d]\ntype = \"responder\"\nlisten = [\"127.0.0.1:53\"]\nzones = [\"a..b\"]\n",
       .told = "4: dns.d.zones: "},
      {.text = "[defaults]\nca = \"two\"\n", .told = "2: defaults.ca: there is no [ca.two]"},
      {.text = "[defaults]\ntargets = [\"t\"]\n",
       .told = "2: defaults.targets: there is no [target.t]"},
      {.text = "[defaults]\nrenew_at = 1.5\n", .told = "2: defaults.renew_at: must be a number"},
      {.text = "[resolver]\ncheck = \"maybe\"\n",
       .told = "2: resolver.check: must be authoritative"},
      {.text = "[store]\n[store]\n", .told = "2: syntax: "},
      {.text = "[store]\nurl = \"sqlite:a\"\nurl = \"sqlite:b\"\n", .told = "3: syntax: "},
      {.text = "[store\n", .told = "1: syntax: "},
      {.text = "[store]\nurl = sqlite:a\n", .told = "2: syntax: "},
  };
  const auto file = path("certherd.toml").string();
  for (const auto& fault : faults) {
    write_file(file, fault.text);
    const auto checked = run({"config", "check"});
    EXPECT_EQ(checked.status, wrong_usage) << fault.text;
    EXPECT_THAT(checked.err, HasSubstr(file + ":" + fault.told)) << fault.text;
    EXPECT_THAT(checked.out, IsEmpty()) << fault.text;
  }
}

TEST_F(Commands, ABrokenConfigIsNamedByItsLine) {
  write_file(path("certherd.toml"), "[store]\nurl = \n");
  const auto checked = run({"config", "check"});
  EXPECT_EQ(checked.status, wrong_usage);
  EXPECT_THAT(checked.err, HasSubstr(path("certherd.toml").string() + ":2: "));
}

TEST_F(Commands, AConfigFaultIsOneJsonDocumentToo) {
  write_file(path("certherd.toml"), "colour = \"blue\"\n");
  const auto checked = run({"--json", "config", "check"});
  EXPECT_EQ(checked.status, wrong_usage);
  EXPECT_EQ(checked.json().at("error").at("kind").as_string(), "misconfigured");
}

TEST_F(Commands, AMissingSealKeyIsNamedByItsVariable) {
  configure("{ file = \"certherd.key\" }", "{ env = \"CERTHERD_TEST_SEAL_KEY\" }");
  const auto lost = run({"domain", "list"});
  EXPECT_EQ(lost.status, wrong_usage);
  EXPECT_THAT(lost.err, HasSubstr("CERTHERD_TEST_SEAL_KEY"));

  auto given = call({"domain", "list"});
  given.environment["CERTHERD_TEST_SEAL_KEY"] = content_of(path("certherd.key"));
  EXPECT_EQ(Program(loop(), given).wait().status, 0);
}

TEST_F(Commands, ASealKeyThatOthersCanReadIsRefused) {
  fs::permissions(path("certherd.key"), fs::perms::others_read, fs::perm_options::add);
  const auto refused = run({"domain", "list"});
  EXPECT_EQ(refused.status, wrong_usage);
  EXPECT_THAT(refused.err, HasSubstr("chmod 600"));
}

TEST_F(Commands, AMissingStoreIsToldAndNotMadeAnew) {
  fs::remove(path("state.db"));
  const auto lost = run({"domain", "list"});
  EXPECT_EQ(lost.status, wrong_usage);
  EXPECT_THAT(lost.err, HasSubstr("state.db"));
  EXPECT_FALSE(fs::exists(path("state.db")));
}

TEST_F(Commands, DomainAddKeepsNamesZoneAndMetadata) {
  const auto added =
      run({"domain", "add", "WWW.Bücher.example.com", "--zone-id", "Z1", "--name", "*.example.com",
           "--name", "example.com", "--set", "owner=web", "--set", "team=7"});
  EXPECT_EQ(added.status, 0) << added.err;
  EXPECT_EQ(added.out, "1 domain added\n");

  const auto shown = run({"--json", "domain", "show", "www.xn--bcher-kva.example.com"});
  EXPECT_EQ(shown.status, 0) << shown.err;
  const auto domain = shown.json();
  EXPECT_EQ(domain.at("domain").as_string(), "www.xn--bcher-kva.example.com");
  EXPECT_EQ(domain.at("zone_id").as_string(), "Z1");
  EXPECT_EQ(domain.at("names").as_array().size(), 3U);
  EXPECT_EQ(domain.at("state").as_string(), "new");
  EXPECT_TRUE(domain.at("not_after").is_null());
  EXPECT_EQ(domain.at("next_action").as_string(), "issue");
  EXPECT_TRUE(domain.at("last_error").is_null());
  EXPECT_EQ(domain.at("metadata"), json::value({{"team", "7"}}));
  EXPECT_THAT(run({"domain", "show", "www.bücher.example.com"}).out, HasSubstr("*.example.com"));
}

TEST_F(Commands, DomainAddRefusesWhatIsNoDomain) {
  EXPECT_EQ(run({"domain", "add", "no_domain..example.com"}).status, wrong_usage);
  EXPECT_EQ(run({"domain", "add", "192.0.2.1"}).status, wrong_usage);
  EXPECT_EQ(run({"domain", "add", "www.example.com", "--set", "key=dsa"}).status, wrong_usage);
  EXPECT_EQ(run({"domain", "add", "www.example.com", "--set", "nothing"}).status, wrong_usage);
  const auto unknown = run({"domain", "add", "www.example.com", "--set", "vault=moon"});
  EXPECT_EQ(unknown.status, wrong_usage);
  EXPECT_THAT(unknown.err, HasSubstr("[vault.moon]"));
  EXPECT_THAT(domains(), IsEmpty());
}

TEST_F(Commands, ADomainThatIsThereAlreadyIsAnErrorAndChangesNothing) {
  ASSERT_EQ(run({"domain", "add", "b.example.com", "--set", "owner=first"}).status, 0);
  const auto again = run({"domain", "add", "b.example.com", "--set", "owner=second"});
  EXPECT_EQ(again.status, wrong_usage);
  EXPECT_THAT(again.err, HasSubstr("b.example.com"));

  const auto imported =
      run({"domain", "import", "-"}, "domain\na.example.com\nb.example.com\nc.example.com\n");
  EXPECT_EQ(imported.status, wrong_usage);
  EXPECT_THAT(imported.err, AllOf(HasSubstr("b.example.com"), Not(HasSubstr("c.example.com"))));
  EXPECT_THAT(domains(), ElementsAre("b.example.com"));
  const auto shown = run({"--json", "domain", "show", "b.example.com"});
  EXPECT_EQ(shown.json().at("owner").as_string(), "first");
}

TEST_F(Commands, DomainImportReadsCsvAndJsonLines) {
  write_file(path("fleet.csv"),
             "domain,zone_id,names,owner,cost centre\r\n"
             "a.example.com,Z1,\"www.a.example.com *.a.example.com\",web,\"1,2\"\r\n"
             "b.example.com,,,,\r\n");
  const auto imported = run({"--json", "domain", "import", "fleet.csv"});
  EXPECT_EQ(imported.status, 0) << imported.err;
  EXPECT_EQ(imported.json().at("added").as_array().size(), 2U);

  const auto lines = run({"domain", "import", "-"},
                         "{\"domain\": \"c.example.com\", \"names\": [\"d.example.com\"]}\n");
  EXPECT_EQ(lines.status, 0) << lines.err;
  EXPECT_THAT(domains(), ElementsAre("a.example.com", "b.example.com", "c.example.com"));
  const auto shown = run({"--json", "domain", "show", "a.example.com"}).json();
  EXPECT_EQ(shown.at("names").as_array().size(), 3U);
  EXPECT_EQ(shown.at("metadata").at("cost centre").as_string(), "1,2");
}

TEST_F(Commands, ARemovedDomainIsGoneAndMayComeBack) {
  ASSERT_EQ(run({"domain", "add", "a.example.com", "--set", "owner=web"}).status, 0);
  ASSERT_EQ(run({"domain", "add", "b.example.com"}).status, 0);
  EXPECT_EQ(run({"domain", "remove", "a.example.com", "c.example.com"}).status, wrong_usage);
  EXPECT_THAT(domains(), ElementsAre("a.example.com", "b.example.com"));

  const auto removed = run({"--json", "domain", "remove", "A.example.com"});
  EXPECT_EQ(removed.status, 0) << removed.err;
  EXPECT_EQ(removed.json(), json::value({{"removed", {"a.example.com"}}}));
  EXPECT_THAT(domains(), ElementsAre("b.example.com"));
  EXPECT_EQ(run({"domain", "show", "a.example.com"}).status, wrong_usage);
  EXPECT_EQ(run({"issue", "a.example.com"}).status, wrong_usage);
  EXPECT_EQ(run({"domain", "remove", "a.example.com"}).status, wrong_usage);

  ASSERT_EQ(run({"domain", "add", "a.example.com"}).status, 0);
  const auto shown = run({"--json", "domain", "show", "a.example.com"}).json();
  EXPECT_FALSE(shown.as_object().contains("owner"));
  const auto log = run({"--json", "log", "a.example.com"}).json();
  EXPECT_EQ(log.at("events").as_array().size(), 3U);
}

TEST_F(Commands, ABadInventoryChangesNothingAndNamesEachBadRowByItsLine) {
  write_file(path("fleet.csv"),
             "domain,key\n"
             "good.example.com,auto\n"
             "bad..example.com,auto\n"
             "short.example.com\n"
             "other.example.com,morse\n"
             "good.example.com,auto\n");
  const auto imported = run({"domain", "import", "fleet.csv"});
  EXPECT_EQ(imported.status, wrong_usage);
  EXPECT_THAT(imported.err, AllOf(HasSubstr("line 3: domain"), HasSubstr("line 4"),
                                  HasSubstr("line 5: key"), HasSubstr("line 6")));
  EXPECT_THAT(imported.err, Not(HasSubstr("line 2:")));
  EXPECT_THAT(domains(), IsEmpty());

  EXPECT_EQ(run({"domain", "import", "-"}, "").status, wrong_usage);
  EXPECT_EQ(run({"domain", "import", "-"}, "owner\nweb\n").status, wrong_usage);
  EXPECT_EQ(run({"domain", "import", "nowhere.csv"}).status, wrong_usage);
  EXPECT_THAT(domains(), IsEmpty());
}

TEST_F(Commands, WhatIsNotInTheInventoryIsToldByItsName) {
  for (const auto& arguments :
       std::vector<std::vector<std::string>>{{"issue", "lost.example.com"},
                                             {"domain", "show", "lost.example.com"},
                                             {"cert", "show", "lost.example.com"}}) {
    const auto refused = run(arguments);
    EXPECT_EQ(refused.status, wrong_usage) << arguments.front();
    EXPECT_THAT(refused.err, HasSubstr("lost.example.com")) << arguments.front();
  }
}

TEST_F(Commands, ADisabledDomainIsNotIssued) {
  ASSERT_EQ(run({"domain", "add", "off.example.com", "--set", "enabled=false"}).status, 0);
  const auto refused = run({"issue", "off.example.com"});
  EXPECT_EQ(refused.status, wrong_usage);
  EXPECT_THAT(refused.err, HasSubstr("disabled"));
  EXPECT_EQ(run({"--json", "domain", "show", "off.example.com"}).json().at("state").as_string(),
            "disabled");
}

TEST_F(Commands, EmptyListsAreDocumentsToo) {
  EXPECT_EQ(run({"--json", "cert", "list"}).json(), json::value({{"certificates", json::array{}}}));
  EXPECT_EQ(run({"--json", "log"}).json(), json::value({{"events", json::array{}}}));
  const auto account = run({"--json", "account", "show"});
  EXPECT_EQ(account.status, wrong_usage);
  EXPECT_EQ(account.json().at("error").at("kind").as_string(), "not_found");
}

TEST_F(Commands, TheLogTellsWhoWasAddedAndTakesASpan) {
  ASSERT_EQ(run({"domain", "add", "a.example.com"}).status, 0);
  ASSERT_EQ(run({"domain", "add", "b.example.com"}).status, 0);
  const auto of_one = run({"--json", "log", "a.example.com", "--since", "1h"}).json();
  ASSERT_EQ(of_one.at("events").as_array().size(), 1U);
  const auto& event = of_one.at("events").at(0);
  EXPECT_EQ(event.at("event").as_string(), "domain.added");
  EXPECT_EQ(event.at("domain").as_string(), "a.example.com");
  EXPECT_TRUE(event.at("detail").is_object());
  const auto later = run({"--json", "log", "--since", "2100-01-01T00:00:00Z"});
  EXPECT_EQ(later.json(), json::value({{"events", json::array{}}}));
  EXPECT_EQ(run({"log", "--since", "yesterday"}).status, wrong_usage);
}

using CommandLine = EndToEnd;

TEST_F(CommandLine, EachCommandExplainsItselfAndItsOptions) {
  struct Command {
    std::vector<std::string> words;
    std::vector<std::string> mentions;
  };
  const std::vector<Command> commands = {
      {.words = {},
       .mentions = {"--config", "--json", "--quiet", "-v", "--log", "demo", "help", "Exit status"}},
      {.words = {"init"}, .mentions = {"--dir"}},
      {.words = {"config"}, .mentions = {"check"}},
      {.words = {"config", "check"}, .mentions = {"line"}},
      {.words = {"account"}, .mentions = {"register", "show"}},
      {.words = {"account", "register"}, .mentions = {"--ca"}},
      {.words = {"account", "show"}, .mentions = {"--ca"}},
      {.words = {"domain"}, .mentions = {"add", "import", "list", "show", "remove"}},
      {.words = {"domain", "remove"}, .mentions = {"NAME", "certificates"}},
      {.words = {"domain", "add"}, .mentions = {"NAME", "--zone-id", "--name", "--set"}},
      {.words = {"domain", "import"}, .mentions = {"FILE", "standard input"}},
      {.words = {"domain", "list"}, .mentions = {}},
      {.words = {"domain", "show"}, .mentions = {"NAME"}},
      {.words = {"plan"}, .mentions = {"NAME", "--all", "--where"}},
      {.words = {"issue"}, .mentions = {"NAME", "--all"}},
      {.words = {"run"}, .mentions = {"--once"}},
      {.words = {"cert"}, .mentions = {"list", "show"}},
      {.words = {"cert", "list"}, .mentions = {"--all"}},
      {.words = {"cert", "show"}, .mentions = {"NAME"}},
      {.words = {"scan"},
       .mentions = {"NAME", "--hosts", "--timeout", "--warn-days", "Exit status"}},
      {.words = {"log"}, .mentions = {"NAME", "--since"}},
      {.words = {"demo"}, .mentions = {"--domains", "--keep", "--serve"}},
      {.words = {"version"}, .mentions = {}}};
  for (const auto& command : commands) {
    auto words = command.words;
    words.emplace_back("--help");
    const auto help = run(words);
    const auto name = command.words.empty() ? std::string("certherd") : command.words.back();
    EXPECT_EQ(help.status, 0) << name;
    EXPECT_THAT(help.out, HasSubstr(name));
    EXPECT_THAT(help.err, IsEmpty()) << name;
    for (const auto& mention : command.mentions) EXPECT_THAT(help.out, HasSubstr(mention)) << name;
  }
}

TEST_F(CommandLine, WhatItDoesNotKnowIsWrongUsage) {
  for (const auto& arguments : std::vector<std::vector<std::string>>{{},
                                                                     {"dance"},
                                                                     {"domain"},
                                                                     {"domain", "dance"},
                                                                     {"domain", "list", "--dance"},
                                                                     {"issue"},
                                                                     {"run"},
                                                                     {"demo", "--domains", "0"},
                                                                     {"demo", "--domains", "x"}}) {
    const auto refused = run(arguments);
    EXPECT_EQ(refused.status, wrong_usage) << (arguments.empty() ? "" : arguments.back());
    EXPECT_THAT(refused.err, Not(IsEmpty()));
    EXPECT_THAT(refused.out, IsEmpty());
  }
}

TEST_F(Commands, AReaderThatHasSeenEnoughIsNoFailure) {
  std::string inventory = "domain\n";
  for (int i = 0; i < 3000; ++i) inventory += fmt::format("site-{}.example.com\n", i);
  ASSERT_EQ(run({"domain", "import", "-"}, inventory).status, 0);
  const auto first = in_shell("\"$CERTHERD\" domain list | head -n 1; echo ${PIPESTATUS[0]}");
  EXPECT_THAT(first.out, HasSubstr("DOMAIN"));
  EXPECT_THAT(first.out, testing::EndsWith("\n0\n"));
  EXPECT_THAT(first.err, IsEmpty());
}

TEST_F(Commands, OutputThatIsLostIsToldAndChangesTheStatus) {
  const auto full = in_shell("\"$CERTHERD\" version >/dev/full");
  EXPECT_EQ(full.status, 1);
  EXPECT_THAT(full.err, HasSubstr("No space left on device"));
  const auto closed = in_shell("\"$CERTHERD\" version >&-");
  EXPECT_EQ(closed.status, 1);
  EXPECT_THAT(closed.err, HasSubstr("the output could not be written"));
}

TEST_F(Commands, StreamsThatWereClosedAreNotTheStoresPlace) {
  const auto added = in_shell("\"$CERTHERD\" domain add a.example.com <&- >&- 2>&-");
  EXPECT_EQ(added.status, 1) << "done, but nobody could be told";
  EXPECT_THAT(domains(), ElementsAre("a.example.com"));
}

TEST_F(Commands, AnEmptyListIsToldOnStderrAlone) {
  const auto listed = run({"domain", "list"});
  EXPECT_EQ(listed.status, 0);
  EXPECT_THAT(listed.out, IsEmpty());
  EXPECT_THAT(listed.err, HasSubstr("the inventory is empty"));
  EXPECT_THAT(run({"--quiet", "domain", "list"}).err, IsEmpty());
  EXPECT_THAT(run({"log", "--since", "2100-01-01T00:00:00Z"}).err, HasSubstr("no events"));
}

TEST_F(Commands, TheLogMayBeJson) {
  const auto listed = run({"--log", "json", "domain", "list"});
  const auto line = json::parse(listed.err);
  EXPECT_EQ(line.at("level").as_string(), "info");
  EXPECT_THAT(std::string(line.at("message").as_string()), HasSubstr("the inventory is empty"));
  EXPECT_TRUE(parse_time(line.at("at").as_string()));
  const auto refused = run({"--log=json", "domain", "show", "no.example.com"});
  EXPECT_EQ(refused.status, 2);
  EXPECT_EQ(json::parse(refused.err).at("level").as_string(), "error");
}

TEST_F(CommandLine, HelpExplainsACommandAsItsOwnHelpDoes) {
  const auto help = run({"help", "domain", "add"});
  EXPECT_EQ(help.status, 0) << help.err;
  EXPECT_EQ(help.out, run({"domain", "add", "--help"}).out);
  EXPECT_EQ(run({"help"}).out, run({"--help"}).out);
  const auto unknown = run({"help", "domain", "ad"});
  EXPECT_EQ(unknown.status, wrong_usage);
  EXPECT_THAT(unknown.err, HasSubstr("did you mean add?"));
}

TEST_F(CommandLine, ATypoIsAnsweredWithTheNearestCommand) {
  const auto refused = run({"domian", "list"});
  EXPECT_EQ(refused.status, wrong_usage);
  EXPECT_THAT(refused.err, HasSubstr("\"domian\" is no command of certherd; did you mean domain?"));
}

TEST_F(CommandLine, VersionNamesBuildAndLibraries) {
  const auto version = run({"version", "--json"});
  EXPECT_EQ(version.status, 0) << version.err;
  const auto document = version.json();
  EXPECT_FALSE(document.at("version").as_string().empty());
  EXPECT_FALSE(document.at("build").as_string().empty());
  EXPECT_FALSE(document.at("libraries").as_object().empty());
  EXPECT_THAT(run({"version"}).out,
              HasSubstr("certherd " + std::string(document.at("version").as_string())));
}

}  // namespace
}  // namespace certherd::e2e
