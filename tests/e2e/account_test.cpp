#include <gmock/gmock.h>

#include <atomic>
#include <boost/json.hpp>
#include <csignal>
#include <future>

#include "crypto/x509.hpp"
#include "end_to_end.hpp"
#include "http/curl_client.hpp"

namespace certherd::e2e {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;
using Kind = CaRequest::Kind;

constexpr int killed = 128 + SIGKILL;

/// The account commands against a Pebble of their own.
class AccountCommands : public OnStage {
 protected:
  void set_account_stage(demo::StageOptions options) {
    options.environment.emplace("PEBBLE_WFE_NONCEREJECT", "0");
    set_stage(std::move(options));
    add_inventory();
  }

  std::string registered() {
    const auto ended = run({"--json", "account", "register"});
    EXPECT_EQ(ended.status, 0) << ended.err;
    return text(ended, "account");
  }
  boost::json::value shown() { return run({"--json", "account", "show"}).json(); }

  static std::string text(const Ended& ended, const std::string& member) {
    return std::string(ended.json().at(member).as_string());
  }
  static std::string kind(const Ended& ended) {
    return std::string(ended.json().at("error").at("kind").as_string());
  }
};

TEST_F(AccountCommands, KeysOfEachTypeRegisterAndIssue) {
  set_stage({.domains = 3});
  const std::map<std::string, std::string> types = {
      {"p256", "ecdsa-p256"}, {"p384", "ecdsa-p384"}, {"rsa", "rsa-2048"}};
  std::string sections;
  std::string inventory = "domain,ca\n";
  int number = 0;
  for (const auto& [name, type] : types) {
    sections += fmt::format(
        "[ca.{}]\ndirectory = \"{}\"\nterms_of_service_agreed = true\naccount_key = \"{}\"\n"
        "trust = \"pebble-https-root.pem\"\nrequests_at_once = 1\n\n",
        name, stage_->pebble().directory_url(), type);
    inventory += fmt::format("site-{:04}.fleet.test,{}\n", ++number, name);
  }
  configure("[dns.responder]", sections + "[dns.responder]");
  configure("targets = [\"nginx\"]", "targets = []");
  ASSERT_EQ(run({"domain", "import", "-"}, inventory).status, 0);

  for (const auto& [name, type] : types) {
    const auto account = run({"--json", "account", "register", "--ca", name});
    ASSERT_EQ(account.status, 0) << account.err;
    EXPECT_EQ(text(account, "key"), type);
    EXPECT_EQ(text(account, "status"), "valid");
  }
  const auto issued = run({"--json", "issue", "--all"});
  EXPECT_EQ(issued.status, 0) << issued.err;
  EXPECT_EQ(issued.json().at("summary").at("issued"), 3);
}

TEST_F(AccountCommands, AKeyTypeThatTheCaRefusesIsToldWithThoseItTakes) {
  set_account_stage({.domains = 1});
  configure("contact =", "account_key = \"ed25519\"\ncontact =");
  const auto refused = run({"--json", "account", "register"});
  EXPECT_EQ(refused.status, 2) << refused.err;
  EXPECT_EQ(kind(refused), "misconfigured");
  EXPECT_THAT(refused.err, HasSubstr("ES256"));
  EXPECT_THAT(refused.err, HasSubstr("account_key"));

  configure("ed25519", "ecdsa-p256");
  const auto account = registered();
  const auto not_changed = run({"--json", "account", "rotate-key", "--key", "ed25519"});
  EXPECT_EQ(not_changed.status, 2) << not_changed.err;
  EXPECT_THAT(not_changed.err, HasSubstr("account_key"));
  EXPECT_TRUE(shown().at("next_thumbprint").is_null());
  const auto changed = run({"--json", "account", "rotate-key", "--key", "ecdsa-p384"});
  EXPECT_EQ(changed.status, 0) << changed.err;
  EXPECT_EQ(text(changed, "key"), "ecdsa-p384");
  EXPECT_EQ(registered(), account);
  EXPECT_EQ(run({"account", "rotate-key", "--key", "dsa"}).status, 2);
}

TEST_F(AccountCommands, AnExternalAccountIsBound) {
  const std::string key = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";
  set_account_stage({.domains = 1, .external_account_keys = {{"kid-1", key}}});
  const auto wanted = run({"--json", "account", "register"});
  EXPECT_EQ(wanted.status, 2) << wanted.err;
  EXPECT_EQ(kind(wanted), "misconfigured");
  EXPECT_THAT(wanted.err, HasSubstr("eab = { kid ="));
  EXPECT_THAT(wanted.err, HasSubstr("[ca.pebble]"));

  configure("contact =", "eab = { kid = \"kid-1\", hmac = { env = \"EAB\" } }\ncontact =");
  const auto missing = run({"account", "register"});
  EXPECT_EQ(missing.status, 2) << missing.err;
  EXPECT_THAT(missing.err, HasSubstr("certherd.toml:"));
  EXPECT_THAT(missing.err, HasSubstr("ca.pebble.eab.hmac"));
  EXPECT_THAT(missing.err, HasSubstr("the environment variable EAB is not set"));
  const auto checked = run({"config", "check"});
  EXPECT_EQ(checked.status, 1) << checked.err;
  EXPECT_THAT(checked.out, HasSubstr("ca.pebble.eab.hmac"));

  const auto with = [&](const std::string& secret) {
    auto call = this->call({"-v", "--json", "account", "register"});
    call.environment["EAB"] = secret;
    return Program(loop(), call).wait();
  };
  const auto garbled = with("no key!");
  EXPECT_EQ(garbled.status, 2) << garbled.err;
  EXPECT_THAT(garbled.err, HasSubstr("base64url"));
  const auto wrong = with("AAAA" + key);
  EXPECT_EQ(wrong.status, 1) << wrong.err;
  EXPECT_THAT(wrong.err, HasSubstr("eab"));
  EXPECT_THAT(wrong.err, Not(HasSubstr(key)));
  const auto bound = with(key);
  EXPECT_EQ(bound.status, 0) << bound.err;
  EXPECT_THAT(bound.err + bound.out, Not(HasSubstr(key)));

  // Once the account is there, its key is enough.
  EXPECT_EQ(registered(), text(bound, "account"));
  EXPECT_EQ(run({"issue", "--all"}).status, 0);
}

TEST_F(AccountCommands, UpdateEndAndBeginAgain) {
  set_account_stage({.domains = 1});
  const auto early = run({"--json", "account", "update"});
  EXPECT_EQ(early.status, 2);
  EXPECT_EQ(kind(early), "not_found");
  EXPECT_THAT(early.err, HasSubstr("certherd account register"));

  const auto account = registered();
  configure("ops@fleet.test", "new@fleet.test");
  const auto updated = run({"--json", "account", "update"});
  EXPECT_EQ(updated.status, 0) << updated.err;
  EXPECT_EQ(updated.json().at("contact").at(0), "mailto:new@fleet.test");
  configure("new@fleet.test", "not an address");
  const auto refused = run({"--json", "account", "update"});
  EXPECT_EQ(refused.status, 2) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("contact"));
  configure("not an address", "ops@fleet.test");

  const auto unsure = run({"account", "deactivate"});
  EXPECT_EQ(unsure.status, 2);
  EXPECT_THAT(unsure.err, HasSubstr("--yes"));
  EXPECT_EQ(run({"account", "register", "--new"}).status, 2) << "it is valid";
  const auto ended = run({"--json", "account", "deactivate", "--yes"});
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_EQ(text(ended, "status"), "deactivated");
  EXPECT_EQ(shown().at("account").as_string(), account);

  for (const auto* command : {"register", "update", "rotate-key"}) {
    const auto after = run({"--json", "account", command});
    EXPECT_EQ(after.status, 1) << command << after.err;
    EXPECT_EQ(kind(after), "denied");
    EXPECT_THAT(after.err, HasSubstr("certherd account register --new --ca pebble"));
  }
  const auto failed = run({"--json", "issue", "--all"});
  EXPECT_EQ(failed.status, 1);
  EXPECT_THAT(failed.out, HasSubstr("certherd account register --new --ca pebble"));

  const auto anew = run({"--json", "account", "register", "--new"});
  EXPECT_EQ(anew.status, 0) << anew.err;
  EXPECT_NE(text(anew, "account"), account);
  EXPECT_EQ(run({"issue", "--all"}).status, 0);
}

TEST_F(AccountCommands, NameTheCaThatIsUnknownOrAway) {
  set_account_stage({.domains = 1});
  (void)registered();
  const std::vector<std::vector<std::string>> commands = {
      {"register"}, {"update"}, {"rotate-key"}, {"deactivate", "--yes"}};
  for (auto command : commands) {
    command.insert(command.begin(), {"--json", "account"});
    command.insert(command.end(), {"--ca", "moon"});
    const auto ended = run(command);
    EXPECT_EQ(ended.status, 2) << ended.err;
    EXPECT_THAT(ended.err, HasSubstr("there is no [ca.moon] in the config (there is: pebble)"));
  }
  EXPECT_EQ(run({"account", "show", "--ca", "moon"}).status, 2);

  loop().run(stage_->strike());
  for (auto command : commands) {
    command.insert(command.begin(), {"--json", "account"});
    const auto ended = run(command);
    EXPECT_EQ(ended.status, 1) << ended.err;
    EXPECT_EQ(kind(ended), "transient");
    EXPECT_THAT(ended.err, HasSubstr("[ca.pebble]"));
  }
  EXPECT_EQ(run({"account", "show"}).status, 0);
}

TEST_F(AccountCommands, AProfileThatTheCaDoesNotOfferIsToldWithThoseItDoes) {
  set_account_stage({.domains = 1});
  configure("contact =", "profile = \"nonesuch\"\ncontact =");
  const auto refused = run({"--json", "issue", "--all"});
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.out, HasSubstr("nonesuch"));
  EXPECT_THAT(refused.out, HasSubstr("default"));
  configure("nonesuch", "default");
  const auto issued = run({"--json", "issue", "--all"});
  EXPECT_EQ(issued.status, 0) << issued.err;
}

TEST_F(AccountCommands, TheChainThatIsPreferredIsTheOneThatIsKept) {
  set_account_stage({.domains = 1, .environment = {{"PEBBLE_ALTERNATE_ROOTS", "1"}}});
  const auto& pebble = stage_->pebble();
  const auto client = http::make_curl_client(
      loop(), {.user_agent = "certherd-test", .trust_pem = pebble.trust_pem()});
  http::Request request;
  request.url = pebble.management_url() + "/roots/1";
  const auto other = loop().run(client->send(std::move(request), loop().clock().now() + 10s));
  ASSERT_TRUE(other) << other.error().message();
  const auto root = crypto::read_chain(other->body);
  ASSERT_TRUE(root) << root.error().message();
  const auto name = root->front().issuer;

  const auto topmost_issuer = [this] {
    const auto issued = run({"--json", "issue", "site-0001.fleet.test"});
    EXPECT_EQ(issued.status, 0) << issued.err;
    const auto result = issued.json().at("results").at(0);
    const auto file = result.at("vault").at("fullchain").as_string();
    return crypto::read_chain(content_of(std::string(file)))->back().issuer;
  };
  EXPECT_NE(topmost_issuer(), name);
  configure("contact =", fmt::format("preferred_chain = \"{}\"\ncontact =", name));
  EXPECT_EQ(topmost_issuer(), name);
}

/// With a proxy that kills the program at any of its requests.
class AccountThroughTheProxy : public AccountCommands {
 protected:
  void set_account_stage(demo::StageOptions options) {
    AccountCommands::set_account_stage(std::move(options));
    set_proxy();
  }

  /// Runs it, and kills it at the `nth` request for which `matters` holds, before or after the CA
  /// has done what it asks for. Its status tells whether it came so far.
  Ended run_and_kill(std::vector<std::string> arguments, int nth, bool after,
                     const std::function<bool(const CaRequest&)>& matters = {}) {
    struct Shared {
      std::promise<Program*> started;
      std::atomic<int> seen = 0;
    };
    auto shared = std::make_shared<Shared>();
    auto program = shared->started.get_future().share();
    proxy_->set_hook([=](const CaRequest& request, const CaProxy::Forward& forward) {
      if (matters && !matters(request)) return forward();
      if (++shared->seen != nth) return forward();
      if (after) (void)forward();
      program.get()->send(SIGKILL);
      return hang_up();
    });
    auto started = start(std::move(arguments));
    shared->started.set_value(started.get());
    auto ended = started->wait();
    proxy_->set_hook({});
    return ended;
  }

  /// The account is the one it was, its key can be changed, and the former key is out.
  void expect_ours(const std::string& account) {
    EXPECT_EQ(registered(), account);
    const auto before = shown().at("thumbprint");
    const auto rotated = run({"--json", "account", "rotate-key"});
    ASSERT_EQ(rotated.status, 0) << rotated.err;
    EXPECT_EQ(text(rotated, "account"), account);
    EXPECT_NE(rotated.json().at("thumbprint"), before);
    EXPECT_TRUE(rotated.json().at("next_thumbprint").is_null());
    const auto used = run({"--json", "account", "update"});
    EXPECT_EQ(used.status, 0) << used.err;
  }
};

TEST_F(AccountThroughTheProxy, ARotationKilledAtEachRequestLeavesAnAccountThatWorks) {
  set_account_stage({.domains = 2});
  const auto account = registered();
  for (const bool after : {false, true}) {
    for (int request = 1;; ++request) {
      SCOPED_TRACE(fmt::format("{} request {}", after ? "after" : "before", request));
      const auto ended = run_and_kill({"account", "rotate-key"}, request, after);
      if (ended.status != killed) {
        ASSERT_EQ(ended.status, 0) << ended.err;
        EXPECT_GT(request, 3);
        break;
      }
      ASSERT_NO_FATAL_FAILURE(expect_ours(account));
    }
  }
  EXPECT_EQ(run({"issue", "--all"}).status, 0);
}

TEST_F(AccountThroughTheProxy, ItsCompletionKilledAtEachRequestDoesToo) {
  set_account_stage({.domains = 2});
  const auto account = registered();
  const auto is_key_change = [](const CaRequest& request) {
    return request.kind == Kind::key_change;
  };
  for (const bool after : {false, true}) {
    for (int request = 1;; ++request) {
      SCOPED_TRACE(fmt::format("{} request {}", after ? "after" : "before", request));
      ASSERT_EQ(run_and_kill({"account", "rotate-key"}, 1, after, is_key_change).status, killed);
      ASSERT_FALSE(shown().at("next_thumbprint").is_null());
      const auto ended = run_and_kill({"account", "rotate-key"}, request, after);
      if (ended.status != killed) {
        ASSERT_EQ(ended.status, 0) << ended.err;
        EXPECT_GT(request, 3);
        break;
      }
      ASSERT_NO_FATAL_FAILURE(expect_ours(account));
    }
  }
}

TEST_F(AccountThroughTheProxy, IssuingFirstFindsOutWhichKeyIsInForce) {
  set_account_stage({.domains = 2});
  (void)registered();
  const auto is_key_change = [](const CaRequest& request) {
    return request.kind == Kind::key_change;
  };
  for (const bool after : {false, true}) {
    ASSERT_EQ(run_and_kill({"account", "rotate-key"}, 1, after, is_key_change).status, killed);
    const auto begun = shown();
    const auto issued = run({"issue", "--all"});
    EXPECT_EQ(issued.status, 0) << issued.err;
    const auto account = shown();
    // What the CA has not heard of yet it may still hear of.
    EXPECT_EQ(account.at("thumbprint"), begun.at(after ? "next_thumbprint" : "thumbprint"));
    EXPECT_EQ(account.at("next_thumbprint").is_null(), after);
  }
}

TEST_F(AccountThroughTheProxy, AnOrderUnderWaySurvivesANewKey) {
  set_account_stage({.domains = 1});
  const auto is_answer = [](const CaRequest& request) { return request.kind == Kind::challenge; };
  ASSERT_EQ(run_and_kill({"issue", "--all"}, 1, false, is_answer).status, killed);
  const auto rotated = run({"account", "rotate-key"});
  ASSERT_EQ(rotated.status, 0) << rotated.err;
  const auto issued = run({"--json", "run", "--once"});
  EXPECT_EQ(issued.status, 0) << issued.err;
  EXPECT_EQ(issued.json().at("summary").at("issued"), 1);
  EXPECT_EQ(proxy_->count(Kind::new_order), 1);
  const auto log = run({"--json", "log", "site-0001.fleet.test"});
  EXPECT_THAT(log.out, HasSubstr("challenge.outdated"));
  EXPECT_THAT(log.out, Not(HasSubstr("issuance.failed")));
}

TEST_F(AccountThroughTheProxy, AnOrderOfAnEndedAccountIsPlacedAnewByTheNextOne) {
  set_account_stage({.domains = 1});
  const auto is_answer = [](const CaRequest& request) { return request.kind == Kind::challenge; };
  ASSERT_EQ(run_and_kill({"issue", "--all"}, 1, false, is_answer).status, killed);
  ASSERT_EQ(run({"account", "deactivate", "--yes"}).status, 0);
  ASSERT_EQ(run({"account", "register", "--new"}).status, 0);
  const auto issued = run({"--json", "run", "--once"});
  EXPECT_EQ(issued.status, 0) << issued.err;
  EXPECT_EQ(issued.json().at("summary").at("issued"), 1);
  EXPECT_THAT(run({"--json", "log"}).out, HasSubstr("order.abandoned"));
}

TEST_F(AccountThroughTheProxy, NoKeyIsChangedWhileAnotherProcessExecutes) {
  set_account_stage({.domains = 1});
  (void)registered();
  std::promise<void> go_on;
  proxy_->set_hook([&, until = go_on.get_future().share()](const CaRequest& request,
                                                           const CaProxy::Forward& forward) {
    if (request.kind == Kind::new_order) until.wait();
    return forward();
  });
  auto executor = start({"issue", "--all"});
  ASSERT_TRUE(eventually(loop(), 30s, [&] { return proxy_->count(Kind::new_order) > 0; }));
  for (const auto& command : std::vector<std::vector<std::string>>{
           {"--json", "account", "rotate-key"}, {"--json", "account", "deactivate", "--yes"}}) {
    const auto refused = run(command);
    EXPECT_EQ(refused.status, 2) << refused.err;
    EXPECT_EQ(kind(refused), "conflict");
    EXPECT_THAT(refused.err, HasSubstr(fmt::format("process {}", executor->pid())));
  }
  go_on.set_value();
  EXPECT_EQ(executor->wait().status, 0);
  EXPECT_EQ(run({"account", "rotate-key"}).status, 0);
}

TEST_F(AccountThroughTheProxy, WhatTheCaWantsOfAPersonIsTold) {
  set_account_stage({.domains = 1});
  proxy_->set_hook([](const CaRequest& request, const CaProxy::Forward& forward) {
    if (request.kind != Kind::new_account) return forward();
    auto answer = problem_answer("userActionRequired", "the terms have changed", 403);
    edit(answer,
         [](boost::json::object& problem) { problem["instance"] = "https://ca.example/agree/17"; });
    return answer;
  });
  const auto asked = run({"--json", "account", "register"});
  EXPECT_EQ(asked.status, 2) << asked.err;
  EXPECT_THAT(asked.err, HasSubstr("the terms have changed"));
  EXPECT_THAT(asked.err, HasSubstr("https://ca.example/agree/17"));

  proxy_->set_hook({});
  (void)registered();
  proxy_->set_hook([](const CaRequest& request, const CaProxy::Forward& forward) {
    if (request.kind != Kind::account) return forward();
    return problem_answer("accountDoesNotExist", "no such account", 400);
  });
  const auto lost = run({"--json", "account", "update"});
  EXPECT_EQ(lost.status, 1) << lost.err;
  EXPECT_EQ(kind(lost), "denied");
  EXPECT_THAT(lost.err, HasSubstr("certherd account register"));
}

}  // namespace
}  // namespace certherd::e2e
