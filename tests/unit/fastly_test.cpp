// The target at Fastly against a scripted one that keeps state and refuses what Fastly refuses.
#include "deploy/fastly/fastly.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <iostream>

#include "base/log.hpp"
#include "fakes/fastly_target.hpp"
#include "fakes/issued_material.hpp"
#include "policy/forecast.hpp"
#include "runtime/slots.hpp"
#include "runtime/task_group.hpp"

namespace certherd::deploy {
namespace {

using namespace std::chrono_literals;
using fakes::ScriptedFastly;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using Fault = ScriptedFastly::Fault;
using Kind = Error::Kind;
using Names = std::vector<std::string>;

constexpr Time noon = std::chrono::sys_days(std::chrono::year(2026) / 11 / 26) + 12h;
constexpr const char* domain = "shop.example.com";
constexpr const char* label = "certherd: shop.example.com";

std::string key_of(std::uint64_t serial) {
  return fmt::format("{:0{}x}", serial, serial < 0x100 ? 2 : 4);
}

/// A Fastly, and one process after another that installs there.
class World {
 public:
  explicit World(FastlyOptions options = {}) : options_(std::move(options)) {
    if (options_.bulk) {
      fastly_.put_configuration({.id = "cfg-bulk", .name = "bulk", .bulk = true});
      options_.configuration_id = "cfg-bulk";
    }
    begin_process();
  }

  void begin_process() {
    target_ = fakes::make_fastly_target(*loop_, *offload_, fastly_, budget_, options_);
  }

  Material issue(std::uint64_t serial, Names names = {domain}) {
    return issuer_.issue(names, serial);
  }

  Result<Receipt> install(const Material& material, std::uint64_t serial,
                          const std::string& name = domain) {
    return loop_->run(target_->install(Fqdn::literal(name), material, key_of(serial)));
  }
  Status clean_up(std::uint64_t serial, const std::string& name = domain) {
    Receipt receipt{.domain = Fqdn::literal(name), .version_key = key_of(serial)};
    return loop_->run(target_->clean_up(std::move(receipt)));
  }
  Status retire(std::uint64_t serial, const Names& names = {domain}) {
    Receipt receipt{.domain = Fqdn::literal(domain), .version_key = key_of(serial)};
    for (const auto& name : names) receipt.names.push_back(Fqdn::literal(name));
    return loop_->run(target_->retire(std::move(receipt)));
  }
  /// Both, as a run does it; gives the writes that they have cost.
  int roll_out(const Material& material, std::uint64_t serial, const std::string& name = domain) {
    const int before = fastly_.writes();
    const auto installed = install(material, serial, name);
    EXPECT_TRUE(installed) << installed.error().message();
    const auto cleaned = clean_up(serial, name);
    EXPECT_TRUE(cleaned) << cleaned.error().message();
    return fastly_.writes() - before;
  }
  Status check() { return loop_->run(target_->check()); }
  std::string observed(const std::string& name = domain) {
    const auto found = loop_->run(target_->observe(Fqdn::literal(name)));
    if (!found) return found.error().message();
    return *found ? (*found)->version_key : "none";
  }

  /// Does that, and is killed `after` its beginning.
  void kill(std::function<Task<void>(Target*)> work, Duration after) {
    loop_->run(run_and_kill(target_.get(), std::move(work), loop_.get(), after));
    target_.reset();
  }

  /// Whether the handshake for the name gets this certificate.
  bool serves(const std::string& name, const Material& material) {
    const auto served = fastly_.served(name);
    return served && served->chain_pem == material.fullchain;
  }

  /// Names of the keys, and of the certificates.
  Names keys() {
    Names names;
    for (const auto& [id, key] : fastly_.keys()) names.push_back(key.name);
    return names;
  }
  Names certificates() {
    Names names;
    for (const auto& [id, certificate] : fastly_.certificates()) names.push_back(certificate.name);
    return names;
  }

  ScriptedFastly& fastly() { return fastly_; }
  fakes::Issuer& issuer() { return issuer_; }
  fakes::MemoryBudget& budget() { return budget_; }
  runtime::EventLoop& loop() { return *loop_; }
  Target& target() { return *target_; }
  void wait(Duration time) { loop_->run(loop_->clock().sleep_for(time)); }

 private:
  static Task<void> run_and_kill(Target* target, std::function<Task<void>(Target*)> work,
                                 runtime::EventLoop* loop, Duration after) {
    runtime::TaskGroup group(*loop);
    group.spawn(work(target));
    co_await loop->clock().sleep_for(after);
    group.cancel();
    co_await group.join();
  }

  std::unique_ptr<runtime::EventLoop> loop_ = runtime::make_virtual_loop(noon);
  std::unique_ptr<runtime::Offload> offload_ = runtime::make_inline_offload();
  fakes::Issuer issuer_{noon};
  ScriptedFastly fastly_{"token", [this] { return loop_->clock().now(); }};
  fakes::MemoryBudget budget_{loop_->clock()};
  FastlyOptions options_;
  std::unique_ptr<Target> target_;
};

class FastlyTarget : public testing::Test {
 protected:
  void SetUp() override { log::set_level(log::Level::error); }
};

TEST_F(FastlyTarget, CostsThreeWritesAtFirstAndThreeAtARenewalAndOneWithTheKeyKept) {
  World world;
  const auto first = world.issue(0x11);
  EXPECT_EQ(world.roll_out(first, 0x11), 3);
  EXPECT_TRUE(world.serves(domain, first));
  EXPECT_EQ(world.observed(), "11");
  EXPECT_EQ(world.roll_out(first, 0x11), 0);

  const auto second = world.issue(0x12);
  EXPECT_EQ(world.roll_out(second, 0x12), 3);
  EXPECT_TRUE(world.serves(domain, second));
  EXPECT_THAT(world.keys(), ElementsAre(label));

  const auto key = crypto::PrivateKey::from_pem(second.private_key).value();
  const auto third = world.issuer().issue(key, {domain}, 0x1234);
  EXPECT_EQ(world.roll_out(third, 0x1234), 1);
  EXPECT_TRUE(world.serves(domain, third));
  EXPECT_EQ(world.observed(), "1234");
  world.begin_process();
  EXPECT_EQ(world.roll_out(third, 0x1234), 0);
  EXPECT_THAT(world.keys(), ElementsAre(label));
  EXPECT_THAT(world.certificates(), ElementsAre(label));
  EXPECT_THAT(world.fastly().lost_tls(), IsEmpty());
}

TEST_F(FastlyTarget, TheFormerKeyStaysUntilItIsCleanedUp) {
  World world;
  world.roll_out(world.issue(0x11), 0x11);
  ASSERT_TRUE(world.install(world.issue(0x12), 0x12));
  EXPECT_THAT(world.keys(), SizeIs(2));
  ASSERT_TRUE(world.clean_up(0x12));
  EXPECT_THAT(world.keys(), SizeIs(1));
  EXPECT_EQ(world.observed(), "12");
}

TEST_F(FastlyTarget, OtherNamesMakeANewCertificateToWhichTheActivationsAreMoved) {
  World world;
  const auto first = world.issue(0x11, {domain, "a.example.com", "b.example.com"});
  EXPECT_EQ(world.roll_out(first, 0x11), 5);
  const auto second = world.issue(0x12, {domain, "a.example.com", "c.example.com"});
  ASSERT_TRUE(world.install(second, 0x12));
  for (const auto* name : {domain, "a.example.com", "c.example.com"}) {
    EXPECT_TRUE(world.serves(name, second)) << name;
  }
  // A name that the new one lacks is not left without TLS, by us.
  ASSERT_TRUE(world.clean_up(0x12));
  EXPECT_TRUE(world.serves("b.example.com", first));
  EXPECT_THAT(world.certificates(), SizeIs(2));
  EXPECT_THAT(world.keys(), SizeIs(2));

  // It gets a certificate of its own, and then nothing needs the former one.
  const auto own = world.issue(0x13, {"b.example.com"});
  world.roll_out(own, 0x13, "b.example.com");
  EXPECT_TRUE(world.serves("b.example.com", own));
  world.begin_process();
  ASSERT_TRUE(world.clean_up(0x12));
  EXPECT_THAT(world.certificates(), SizeIs(2));
  EXPECT_THAT(world.keys(), SizeIs(2));
  EXPECT_THAT(world.fastly().lost_tls(), IsEmpty());
}

TEST_F(FastlyTarget, AFormerCertificateThatHasExpiredGoesWithItsActivations) {
  World world;
  world.roll_out(world.issue(0x11, {domain, "b.example.com"}), 0x11);
  world.wait(std::chrono::days(80));
  world.issuer().set_now(world.loop().clock().now());
  ASSERT_TRUE(world.install(world.issue(0x12), 0x12));
  world.wait(std::chrono::days(11));
  world.fastly().may_lose("b.example.com");
  ASSERT_TRUE(world.clean_up(0x12));
  EXPECT_THAT(world.certificates(), SizeIs(1));
  EXPECT_THAT(world.keys(), SizeIs(1));
}

TEST_F(FastlyTarget, ASharedCertificateOfSomebodyElseIsSplitAndLeftAlone) {
  World world;
  auto& fastly = world.fastly();
  const auto shared = world.issue(0x5e, {domain, "other.example.com"});
  const auto foreign = fastly.put_certificate(shared, "by hand");
  fastly.put_activation(foreign, domain, ScriptedFastly::default_configuration, "mutual-1");
  fastly.put_activation(foreign, "other.example.com");

  const auto own = world.issue(0x11);
  EXPECT_EQ(world.roll_out(own, 0x11), 3);
  EXPECT_TRUE(world.serves(domain, own));
  EXPECT_TRUE(world.serves("other.example.com", shared));
  EXPECT_THAT(world.certificates(), testing::UnorderedElementsAre("by hand", label));
  for (const auto& [id, activation] : fastly.activations()) {
    if (activation.domain == domain) EXPECT_EQ(activation.mutual_authentication, "mutual-1");
  }
  // Nor is one with the very same names taken for ours.
  EXPECT_EQ(world.observed("other.example.com"), "none");
  EXPECT_THAT(fastly.lost_tls(), IsEmpty());
}

TEST_F(FastlyTarget, ANameThatAnotherCustomerHoldsLeavesNothingHalfDone) {
  World world;
  world.fastly().hold_elsewhere(domain);
  const auto refused = world.install(world.issue(0x11), 0x11);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::misconfigured);
  EXPECT_THAT(refused.error().message(), HasSubstr("activate shop.example.com"));
  EXPECT_THAT(world.keys(), IsEmpty());
  EXPECT_THAT(world.certificates(), IsEmpty());

  // With a name that may be served, that one is.
  const auto both = world.issue(0x12, {domain, "a.example.com"});
  const auto half = world.install(both, 0x12);
  ASSERT_FALSE(half);
  EXPECT_THAT(half.error().message(), HasSubstr("(1 of 2 names are active)"));
  EXPECT_TRUE(world.serves("a.example.com", both));
}

TEST_F(FastlyTarget, AChainThatFastlyRefusesLeavesNoKey) {
  World world;
  auto wrong = world.issue(0x11);
  wrong.fullchain =
      wrong.fullchain.substr(0, wrong.fullchain.find("-----END CERTIFICATE-----") + 26) +
      fakes::Issuer(noon + 1h).root_pem();
  const auto refused = world.install(wrong, 0x11);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::misconfigured);
  EXPECT_THAT(refused.error().message(), HasSubstr("Fastly answered 400: "));
  EXPECT_THAT(world.keys(), IsEmpty());

  // With a certificate that is served, that one goes on being so.
  const auto good = world.issue(0x12);
  world.roll_out(good, 0x12);
  ASSERT_FALSE(world.install(wrong, 0x11));
  EXPECT_TRUE(world.serves(domain, good));
  EXPECT_THAT(world.keys(), SizeIs(1));
}

TEST_F(FastlyTarget, ARevokedTokenIsToldAndChangesNothing) {
  World world;
  const auto good = world.issue(0x11);
  world.roll_out(good, 0x11);
  world.fastly().revoke_token();
  const auto refused = world.install(world.issue(0x12), 0x12);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::denied);
  EXPECT_THAT(refused.error().message(), HasSubstr("the token of $FASTLY_API_TOKEN is not valid"));
  EXPECT_EQ(world.check().error().kind, Kind::denied);
  EXPECT_TRUE(world.serves(domain, good));
}

TEST_F(FastlyTarget, ATokenThatMayOnlyReadIsTold) {
  World world;
  world.fastly().forbid_writes();
  EXPECT_TRUE(world.check());
  const auto refused = world.install(world.issue(0x11), 0x11);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::denied);
  EXPECT_THAT(refused.error().message(), HasSubstr("needs the scope global"));
}

TEST_F(FastlyTarget, CheckKnowsTheConfiguration) {
  EXPECT_TRUE(World().check());
  EXPECT_TRUE(World({.bulk = true}).check());
  World unknown({.configuration_id = "cfg-none"});
  EXPECT_THAT(unknown.check().error().message(), HasSubstr("knows no TLS configuration cfg-none"));
  World custom({.configuration_id = "cfg-other"});
  custom.fastly().put_configuration({.id = "cfg-other", .name = "bulk", .bulk = true});
  EXPECT_THAT(custom.check().error().message(), HasSubstr("set bulk = true"));
}

TEST_F(FastlyTarget, ActivationsAreMadeForTheConfigurationThatIsNamed) {
  World world({.configuration_id = "cfg-own"});
  world.fastly().put_configuration({.id = "cfg-own", .name = "own"});
  world.roll_out(world.issue(0x11), 0x11);
  EXPECT_EQ(world.fastly().activations().begin()->second.configuration, "cfg-own");
}

TEST_F(FastlyTarget, KeysAreFoundOnTheFurtherPagesToo) {
  World world;
  const auto first = world.issue(0x11);
  world.roll_out(first, 0x11);
  for (int i = 0; i < 230; ++i) {
    const auto key = crypto::PrivateKey::generate(KeyType::ecdsa_p256).value();
    world.fastly().put_key(key.to_pem(), fmt::format("of others {}", i));
  }
  const auto key = crypto::PrivateKey::from_pem(first.private_key).value();
  world.begin_process();
  EXPECT_EQ(world.roll_out(world.issuer().issue(key, {domain}, 0x12), 0x12), 1);
}

// A fleet that waits for the hour to turn would read it again for each domain.
TEST_F(FastlyTarget, AKeyThatHasToWaitLeavesTheListOfKeysAsItIs) {
  World world;
  runtime::Allowance all{.name = "fastly/user", .burst = 990, .window = 1h};
  ASSERT_TRUE(world.loop().run(world.budget().take(std::move(all), 990)));
  for (std::uint64_t serial = 0x11; serial < 0x15; ++serial) {
    const auto name = fmt::format("site-{}.example.com", serial);
    EXPECT_FALSE(world.install(world.issue(serial, {name}), serial, name));
  }
  EXPECT_EQ(world.fastly().count(http::Request::Method::get, "/tls/private_keys"), 1);
}

TEST_F(FastlyTarget, CleaningUpAFleetReadsNoListOfUnusedKeys) {
  World world;
  for (std::uint64_t round = 0; round < 2; ++round) {
    for (std::uint64_t i = 0x11; i < 0x14; ++i) {
      const auto name = fmt::format("site-{}.example.com", i);
      ASSERT_TRUE(world.install(world.issue(i + round * 0x10, {name}), i + round * 0x10, name));
    }
  }
  for (std::uint64_t i = 0x11; i < 0x14; ++i) {
    EXPECT_TRUE(world.clean_up(i + 0x10, fmt::format("site-{}.example.com", i)));
  }
  EXPECT_THAT(world.keys(), SizeIs(3));
  EXPECT_EQ(world.fastly().count(http::Request::Method::get, "/tls/private_keys?filter"), 0);
}

/// Fails to list the keys, and takes its time over it.
class WithoutKeys final : public http::Client {
 public:
  WithoutKeys(http::Client& client, runtime::Clock& clock) : client_(client), clock_(clock) {}
  Task<Result<http::Response>> send(http::Request request, Time deadline) override {
    if (request.url.find("/tls/private_keys") == std::string::npos) {
      co_return co_await client_.send(std::move(request), deadline);
    }
    co_await clock_.sleep_until(deadline);
    co_return fail(Kind::deadline, "GET /tls/private_keys", "no answer in time");
  }

 private:
  http::Client& client_;
  runtime::Clock& clock_;
};

Task<void> install_in_vain(Target* target, Fqdn name, Material material, std::string serial) {
  const auto failed =
      co_await target->install(std::move(name), std::move(material), std::move(serial));
  EXPECT_FALSE(failed);
}

Task<void> install_at_last(Target* target, Fqdn name, Material material, std::string serial) {
  const auto installed =
      co_await target->install(std::move(name), std::move(material), std::move(serial));
  EXPECT_TRUE(installed) << installed.error().message();
}

TEST_F(FastlyTarget, AKeyThatSeveralDomainsHaveIsUploadedOnce) {
  World world;
  const auto key = crypto::PrivateKey::generate(KeyType::ecdsa_p256).value();
  runtime::TaskGroup group(world.loop());
  for (std::uint64_t serial = 0x11; serial < 0x14; ++serial) {
    const auto name = fmt::format("site-{}.example.com", serial);
    group.spawn(install_at_last(&world.target(), Fqdn::literal(name),
                                world.issuer().issue(key, {name}, serial), key_of(serial)));
  }
  world.loop().run(group.join());
  EXPECT_EQ(world.fastly().writes(), 7);
}

TEST_F(FastlyTarget, KeysThatAreKeptAreKnownToAllWhoComeWhileTheListIsRead) {
  World world;
  std::vector<crypto::PrivateKey> keys;
  for (std::uint64_t serial = 0x11; serial < 0x14; ++serial) {
    const auto name = fmt::format("site-{}.example.com", serial);
    const auto first = world.issue(serial, {name});
    world.roll_out(first, serial, name);
    keys.push_back(crypto::PrivateKey::from_pem(first.private_key).value());
  }
  world.begin_process();
  const int before = world.fastly().writes();
  runtime::TaskGroup group(world.loop());
  for (std::uint64_t i = 0; i < keys.size(); ++i) {
    const auto name = fmt::format("site-{}.example.com", 0x11 + i);
    group.spawn(install_at_last(&world.target(), Fqdn::literal(name),
                                world.issuer().issue(keys[i], {name}, 0x21 + i), key_of(0x21 + i)));
  }
  world.loop().run(group.join());
  EXPECT_EQ(world.fastly().writes() - before, 3);
}

TEST_F(FastlyTarget, ThoseWhoWaitForTheListOfKeysFailTogether) {
  World world;
  auto& clock = world.loop().clock();
  const auto offload = runtime::make_inline_offload();
  FastlyOptions options;
  options.api.token = Secret<std::string>("token");
  options.api.allowance = {.name = "fastly/user", .burst = 990, .window = 1h};
  const auto target =
      make_fastly(world.loop(), *offload, std::make_unique<WithoutKeys>(world.fastly(), clock),
                  world.budget(), std::move(options));
  runtime::TaskGroup group(world.loop());
  for (std::uint64_t serial = 0x11; serial < 0x1b; ++serial) {
    const auto name = fmt::format("site-{}.example.com", serial);
    group.spawn(install_in_vain(target.get(), Fqdn::literal(name), world.issue(serial, {name}),
                                key_of(serial)));
  }
  world.loop().run(group.join());
  EXPECT_LE(clock.now(), noon + 31s);
}

TEST_F(FastlyTarget, WordsThatRepeatASecretAreNotTold) {
  for (const auto* echo : {"-----BEGIN PRIVATE KEY-----", "bad token"}) {
    World world;
    const auto body =
        fmt::format(R"({{"errors":[{{"title":"Invalid value","detail":"{}"}}]}})", echo);
    world.fastly().disturb(3, ScriptedFastly::refusal(400, body));
    const auto refused = world.install(world.issue(0x11), 0x11);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message(),
                HasSubstr("POST /tls/private_keys: Fastly answered 400"));
    EXPECT_THAT(refused.error().message(), Not(HasSubstr(echo)));
  }
}

TEST_F(FastlyTarget, PlatformTlsReplacesACertificateInPlace) {
  World world({.bulk = true});
  const auto first = world.issue(0x11, {domain, "*.shop.example.com"});
  EXPECT_EQ(world.roll_out(first, 0x11), 2);
  EXPECT_TRUE(world.serves("www.shop.example.com", first));
  EXPECT_EQ(world.roll_out(first, 0x11), 0);
  world.wait(1h);
  world.issuer().set_now(world.loop().clock().now());
  const auto second = world.issue(0x12, {domain, "*.shop.example.com"});
  EXPECT_EQ(world.roll_out(second, 0x12), 3);
  EXPECT_TRUE(world.serves(domain, second));
  EXPECT_THAT(world.fastly().bulk_certificates(), SizeIs(1));
  EXPECT_THAT(world.keys(), ElementsAre(label));
  EXPECT_EQ(world.observed(), "");

  world.fastly().may_lose(domain);
  world.fastly().may_lose("*.shop.example.com");
  EXPECT_TRUE(world.retire(0x12, {domain, "*.shop.example.com"}));
  EXPECT_THAT(world.fastly().bulk_certificates(), IsEmpty());
  EXPECT_THAT(world.keys(), IsEmpty());
}

TEST_F(FastlyTarget, PlatformTlsRemovesTheFormerCertificateWhoseNamesAreAllOnTheNewOne) {
  World world({.bulk = true});
  world.roll_out(world.issue(0x11), 0x11);
  world.wait(1h);
  world.issuer().set_now(world.loop().clock().now());
  const auto more = world.issue(0x12, {domain, "a.example.com"});
  ASSERT_TRUE(world.install(more, 0x12));
  EXPECT_THAT(world.fastly().bulk_certificates(), SizeIs(2));
  ASSERT_TRUE(world.clean_up(0x12));
  EXPECT_THAT(world.fastly().bulk_certificates(), SizeIs(1));
  EXPECT_THAT(world.keys(), ElementsAre(label));
  EXPECT_TRUE(world.serves(domain, more));

  // One that still has names of its own stays, and its key.
  world.wait(1h);
  world.issuer().set_now(world.loop().clock().now());
  const auto fewer = world.issue(0x13);
  world.roll_out(fewer, 0x13);
  EXPECT_TRUE(world.serves(domain, fewer));
  EXPECT_TRUE(world.serves("a.example.com", more));
  EXPECT_THAT(world.keys(), SizeIs(2));
  EXPECT_THAT(world.fastly().lost_tls(), IsEmpty());
}

TEST_F(FastlyTarget, PlatformTlsLeavesAloneWhatSomebodyElseHasUploaded) {
  World world({.bulk = true});
  world.fastly().put_bulk_certificate(world.issue(0x5e), "cfg-bulk");
  for (std::uint64_t serial = 0x11; serial < 0x13; ++serial) {
    world.wait(1h);
    world.issuer().set_now(world.loop().clock().now());
    const auto both = world.issue(serial, {domain, "a.example.com"});
    world.roll_out(both, serial);
    EXPECT_TRUE(world.serves(domain, both));
    EXPECT_THAT(world.fastly().bulk_certificates(), SizeIs(2));
  }
}

TEST_F(FastlyTarget, TheBudgetOfTheAnswersCountsWhatOthersSpend) {
  World world;
  world.fastly().set_budget(1000, true);
  world.roll_out(world.issue(0x11), 0x11);
  EXPECT_EQ(world.budget().settled(), 0);
  world.fastly().spend_elsewhere(995);
  world.begin_process();
  // One more goes through, which tells that one is left; it goes through as well, and then none.
  ASSERT_TRUE(world.install(world.issue(0x12), 0x12));
  EXPECT_EQ(world.fastly().writes(), 5);
  const auto throttled = world.install(world.issue(0x21, {"b.example.com"}), 0x21, "b.example.com");
  ASSERT_FALSE(throttled);
  EXPECT_EQ(throttled.error().kind, Kind::throttled);
  EXPECT_EQ(throttled.error().retry_at, noon + 1h);
  EXPECT_EQ(world.fastly().throttled(), 0);
}

TEST_F(FastlyTarget, ABudgetThatOthersHaveSpentUnseenIsWaitedForUntilTheHourTurns) {
  World world;
  world.fastly().set_budget(1000, true);
  world.fastly().spend_elsewhere(1000);
  const auto material = world.issue(0x11);
  const auto throttled = world.install(material, 0x11);
  ASSERT_FALSE(throttled);
  EXPECT_EQ(throttled.error().kind, Kind::throttled);
  EXPECT_EQ(throttled.error().retry_at, noon + 1h);
  ASSERT_FALSE(world.install(material, 0x11));
  EXPECT_EQ(world.fastly().throttled(), 1);
  world.wait(1h);
  EXPECT_EQ(world.roll_out(material, 0x11), 3);
}

TEST_F(FastlyTarget, RetireTakesOffWhatIsOurs) {
  World world;
  auto& fastly = world.fastly();
  fastly.put_certificate(world.issue(0x5e, {domain}), "by hand");
  world.roll_out(world.issue(0x11, {domain, "a.example.com"}), 0x11);
  EXPECT_TRUE(world.retire(0x10));  // another version
  EXPECT_EQ(world.observed(), "11");
  fastly.may_lose(domain);
  fastly.may_lose("a.example.com");
  EXPECT_TRUE(world.retire(0x11));
  EXPECT_TRUE(world.retire(0x11));
  EXPECT_THAT(world.certificates(), ElementsAre("by hand"));
  EXPECT_THAT(world.keys(), Not(testing::Contains(label)));
  EXPECT_THAT(fastly.activations(), IsEmpty());
}

// ---- Faults at every single call ----

/// What happens to a process before the fault, and what it does when it comes.
struct Scenario {
  std::string name;
  bool bulk = false;
  Names before = {};  ///< names of the certificate that is there already; none: nothing is
  bool keep_key = false;
  Names after = {domain};  ///< of the one that is installed
  bool retires = false;
};

class FastlyFaults : public testing::TestWithParam<Scenario> {
 protected:
  void SetUp() override { log::set_level(log::Level::error); }

  struct Stage {
    explicit Stage(const Scenario& scenario) : world({.bulk = scenario.bulk}) {
      foreign = world.fastly().put_certificate(world.issue(0x5e, {"x.example.com"}), "by hand");
      world.fastly().put_activation(foreign, "x.example.com");
      if (!scenario.before.empty()) {
        former = world.issue(0x11, scenario.before);
        world.roll_out(former, 0x11);
        world.wait(1s);
        world.issuer().set_now(world.loop().clock().now());
      }
      const auto& names = scenario.retires ? scenario.before : scenario.after;
      wanted =
          scenario.keep_key
              ? world.issuer().issue(*crypto::PrivateKey::from_pem(former.private_key), names, 0x12)
              : world.issue(0x12, names);
      if (scenario.retires) {
        for (const auto& name : scenario.before) world.fastly().may_lose(name);
      }
      for (const auto& name : scenario.before) {
        const bool goes = std::ranges::find(names, name) == names.end();
        if (goes && scenario.bulk) world.fastly().may_lose(name);
      }
    }

    World world;
    std::string foreign;
    Material former;
    Material wanted;
  };

  static Task<void> work(const Scenario* scenario, Material material, Target* target) {
    if (scenario->retires) {
      (void)co_await target->retire(receipt_of(*scenario, 0x11));
      co_return;
    }
    auto installed = co_await target->install(Fqdn::literal(domain), std::move(material), "12");
    if (installed) (void)co_await target->clean_up(std::move(*installed));
  }

  static Receipt receipt_of(const Scenario& scenario, std::uint64_t serial) {
    Receipt receipt{.domain = Fqdn::literal(domain), .version_key = key_of(serial)};
    for (const auto& name : scenario.retires ? scenario.before : scenario.after) {
      receipt.names.push_back(Fqdn::literal(name));
    }
    return receipt;
  }

  static void expect_right(Stage& stage, const Scenario& scenario) {
    auto& world = stage.world;
    auto& fastly = world.fastly();
    EXPECT_THAT(fastly.lost_tls(), IsEmpty());
    EXPECT_EQ(fastly.certificates().at(stage.foreign).name, "by hand");
    std::size_t standing = scenario.retires ? 0 : 1;
    if (!scenario.retires) {
      for (const auto& name : scenario.after) EXPECT_TRUE(world.serves(name, stage.wanted)) << name;
      // A name that the new certificate lacks goes on being served by the former one.
      for (const auto& name : scenario.before) {
        if (std::ranges::find(scenario.after, name) != scenario.after.end()) continue;
        if (!scenario.bulk) EXPECT_TRUE(world.serves(name, stage.former)) << name;
        standing = 2;
      }
    }
    const auto certificates =
        scenario.bulk ? fastly.bulk_certificates().size() : fastly.certificates().size() - 1;
    EXPECT_EQ(certificates, standing);
    EXPECT_EQ(fastly.keys().size() - 1, standing);
  }

  /// The next run, in a process of its own; the hour of a spent budget is over by then.
  static void run_again(Stage& stage, const Scenario& scenario) {
    stage.world.wait(1h);
    stage.world.begin_process();
    if (scenario.retires) {
      const auto retired =
          stage.world.loop().run(stage.world.target().retire(receipt_of(scenario, 0x11)));
      EXPECT_TRUE(retired) << retired.error().message();
      return;
    }
    stage.world.roll_out(stage.wanted, 0x12);
  }
};

TEST_P(FastlyFaults, AreMendedByTheNextRun) {
  const auto& scenario = GetParam();
  const std::vector<std::pair<std::string, Fault>> faults = {
      {"500", ScriptedFastly::refusal(500, R"({"msg":"Internal error"})")},
      {"503", ScriptedFastly::refusal(503, "<html>backend read error</html>")},
      {"429", ScriptedFastly::refusal(429, R"({"msg":"You have exceeded your rate limit"})")},
      {"lost request", ScriptedFastly::lost_request()},
      {"lost reply", ScriptedFastly::lost_reply()},
      {"truncated", ScriptedFastly::truncated()},
  };
  for (const auto& [name, fault] : faults) {
    int n = 1;
    for (;; ++n) {
      SCOPED_TRACE(fmt::format("{} at call {}", name, n));
      Stage stage(scenario);
      stage.world.fastly().disturb(n, fault);
      auto working = work(&scenario, stage.wanted, &stage.world.target());
      stage.world.loop().run(std::move(working));
      const bool disturbed = stage.world.fastly().was_disturbed();
      // What was not reached must not meet the next run.
      stage.world.fastly().disturb(1'000'000, fault);
      run_again(stage, scenario);
      expect_right(stage, scenario);
      if (!disturbed || HasFailure()) break;
    }
    EXPECT_GT(n, 3) << name;
  }
}

TEST_P(FastlyFaults, AKillIsMendedByTheNextRun) {
  const auto& scenario = GetParam();
  // Each call takes a moment before it is carried out, and one before its answer is there.
  for (int half_steps = 1; half_steps < 40; ++half_steps) {
    SCOPED_TRACE(half_steps);
    Stage stage(scenario);
    auto& loop = stage.world.loop();
    stage.world.fastly().set_delay([&loop] { return loop.clock().sleep_for(1ms); });
    stage.world.kill(
        [&scenario, &stage](Target* target) { return work(&scenario, stage.wanted, target); },
        half_steps * 500us);
    stage.world.fastly().set_delay(nullptr);
    run_again(stage, scenario);
    expect_right(stage, scenario);
    if (HasFailure()) break;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Scenarios, FastlyFaults,
    testing::Values(
        Scenario{.name = "FirstInstall"},
        Scenario{.name = "FirstInstallOfTwoNames", .after = {domain, "a.example.com"}},
        Scenario{.name = "Renewal", .before = {domain}},
        Scenario{.name = "RenewalWithTheKeyKept", .before = {domain}, .keep_key = true},
        Scenario{.name = "NamesChanged",
                 .before = {domain, "b.example.com"},
                 .after = {domain, "c.example.com"}},
        Scenario{.name = "Retire", .before = {domain, "a.example.com"}, .retires = true},
        Scenario{.name = "BulkFirst", .bulk = true},
        Scenario{.name = "BulkRenewal", .bulk = true, .before = {domain}},
        Scenario{.name = "BulkWithFurtherNames",
                 .bulk = true,
                 .before = {domain},
                 .after = {domain, "a.example.com"}},
        Scenario{.name = "BulkRetire", .bulk = true, .before = {domain}, .retires = true}),
    [](const auto& info) { return info.param.name; });

// ---- A fleet within the budget ----

Task<void> install_until_done(World* world, runtime::Slots* slots, const crypto::PrivateKey* key,
                              int number, Time* done) {
  const auto name = Fqdn::literal(fmt::format("site-{:04}.example.com", number));
  const auto serial = 0x10000ULL + static_cast<std::uint64_t>(number);
  const auto material = world->issuer().issue(*key, {name.text()}, serial);
  auto& clock = world->loop().clock();
  while (true) {
    auto slot = std::optional(co_await slots->take());
    auto copy = material;
    auto installed =
        co_await world->target().install(name, std::move(copy), fmt::format("{:06x}", serial));
    if (installed) break;
    slot.reset();
    EXPECT_EQ(installed.error().kind, Kind::throttled) << installed.error().message();
    if (!installed.error().retry_at) co_return;
    co_await clock.sleep_until(*installed.error().retry_at);
  }
  *done = clock.now();
}

TEST_F(FastlyTarget, AFleetStaysWithinTheBudgetAndIsDoneWhenForetold) {
  // In `scripts/test full` it takes ten hours instead of two.
  const int fleet = std::getenv("CERTHERD_SEED") == nullptr ? 1'000 : 5'000;
  // One key for all, which is there: reading five thousand of them takes most of a test's time.
  constexpr int writes = 2;
  World world;
  const auto key = crypto::PrivateKey::generate(KeyType::ecdsa_p256).value();
  world.fastly().put_key(key.to_pem(), "for all");
  world.fastly().set_budget(ScriptedFastly::writes_per_hour, true);
  policy::Forecast forecast({{.words = "writes", .units = 990, .window = 1h}}, noon);
  policy::Plan plan;
  for (int i = 0; i < fleet; ++i) {
    plan = {};
    plan.at = noon;
    forecast.put_off(plan, {{.limit = 0, .units = writes}});
  }

  std::vector<Time> done(static_cast<std::size_t>(fleet));
  runtime::Slots slots(world.loop(), 64);  // at work at one time, as an executor has it
  runtime::TaskGroup group(world.loop());
  for (int i = 0; i < fleet; ++i) {
    group.spawn(install_until_done(&world, &slots, &key, i, &done[static_cast<std::size_t>(i)]));
  }
  world.loop().run(group.join());

  EXPECT_EQ(world.fastly().throttled(), 0);
  for (const auto& [hour, count] : world.fastly().writes_by_hour()) EXPECT_LE(count, 1000);
  EXPECT_EQ(world.fastly().writes(), writes * fleet);
  EXPECT_THAT(world.fastly().activations(), SizeIs(fleet));
  const auto last = *std::ranges::max_element(done);
  EXPECT_GE(last, plan.at);
  EXPECT_LE(last, plan.at + (plan.at - noon) / 20) << "more than 5 % later than foretold";
  std::cout << fmt::format(
      "{} domains, {} writes: foretold after {} h, done after {:.2f} h; {} reads\n", fleet,
      world.fastly().writes(), (plan.at - noon) / 1h,
      static_cast<double>((last - noon) / 1s) / 3600, world.fastly().reads());
}

}  // namespace
}  // namespace certherd::deploy
