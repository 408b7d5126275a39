// The ACME client against a real CA: Pebble, which here refuses half of all nonces, hands out
// wrong-looking but allowed things at random (order of lists, form of Retry-After, reused
// authorizations), and takes every challenge for answered.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "acme/http_client.hpp"
#include "contract/acme_accounts_contract.hpp"
#include "crypto/csr.hpp"
#include "crypto/encoding.hpp"
#include "crypto/x509.hpp"
#include "demo/pebble.hpp"
#include "fakes/temporary_folder.hpp"
#include "http/curl_client.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/offload.hpp"

namespace certherd {
namespace {

using contract::AccountsContract;

constexpr auto patience = std::chrono::seconds(60);

/// A Pebble, and clients of it.
class PebbleCa final : public contract::CaSetup {
 public:
  /// `change` may alter the options before it starts.
  explicit PebbleCa(const std::function<void(demo::PebbleOptions&)>& change = nullptr) {
    demo::PebbleOptions options;
    options.folder = folder_.path();
    options.domain_blocklist = {"blocked.example"};
    options.environment = {{"PEBBLE_WFE_NONCEREJECT", "50"},
                           {"PEBBLE_VA_ALWAYS_VALID", "1"},
                           {"PEBBLE_VA_NOSLEEP", "1"},
                           {"PEBBLE_ALTERNATE_ROOTS", "1"},
                           {"PEBBLE_CHAIN_LENGTH", "2"}};
    if (change) change(options);
    auto pebble =
        loop_->run(demo::PebbleServer::start(loop_.get(), offload_.get(), std::move(options)));
    if (!pebble) throw std::runtime_error(pebble.error().message());
    pebble_ = std::move(*pebble);
    http_ = http::make_curl_client(
        *loop_, {.user_agent = "certherd-test", .trust_pem = pebble_->trust_pem()});
  }
  PebbleCa(const PebbleCa&) = delete;
  PebbleCa& operator=(const PebbleCa&) = delete;
  ~PebbleCa() override { loop_->run(pebble_->stop()); }

  runtime::EventLoop& loop() override { return *loop_; }
  std::unique_ptr<acme::Client> client(const crypto::PrivateKey& key) override {
    return client_by(*http_, key);
  }
  std::unique_ptr<acme::Client> client_by(http::Client& http, crypto::PrivateKey key) {
    return acme::make_client(http, *loop_, *offload_, {pebble_->directory_url(), std::move(key)});
  }
  http::Client& http() { return *http_; }
  const std::string& directory_url() const { return pebble_->directory_url(); }
  const std::string& management_url() const { return pebble_->management_url(); }

 private:
  fakes::TemporaryFolder folder_;
  std::unique_ptr<runtime::EventLoop> loop_ = runtime::make_event_loop();
  std::unique_ptr<runtime::Offload> offload_ = runtime::make_thread_offload(*loop_, 2);
  std::unique_ptr<demo::PebbleServer> pebble_;
  std::unique_ptr<http::Client> http_;
};

class Pebble : public testing::Test {
 protected:
  virtual void configure(demo::PebbleOptions&) {}

  void SetUp() override {
    ca = std::make_unique<PebbleCa>([this](demo::PebbleOptions& options) { configure(options); });
    loop = &ca->loop();
    client = make_client(*crypto::PrivateKey::generate(KeyType::ecdsa_p256));
  }

  std::unique_ptr<acme::Client> make_client(const crypto::PrivateKey& key) {
    return ca->client(key);
  }

  template <typename T>
  T run(Task<T> task) {
    return loop->run(std::move(task));
  }

  Result<acme::AccountInfo> register_account() {
    return run(client->new_account({{"mailto:ops@example.com"}, true, false, {}}));
  }

  Result<acme::Order> order_for(const std::vector<std::string>& names) {
    return run(client->new_order({parse(names), "", ""}));
  }

  static std::vector<Fqdn> parse(const std::vector<std::string>& names) {
    std::vector<Fqdn> parsed;
    parsed.reserve(names.size());
    for (const auto& name : names) parsed.push_back(Fqdn::literal(name));
    return parsed;
  }

  /// Asks for the order until it has left `status`, when the CA says to.
  Task<Result<acme::Order>> leave(acme::Order order, acme::OrderStatus status) {
    auto& clock = loop->clock();
    const Time deadline = clock.now() + patience;
    while (order.status == status && clock.now() < deadline) {
      co_await clock.sleep_until(
          order.retry_at.value_or(clock.now() + std::chrono::milliseconds(100)));
      auto next = co_await client->fetch_order(order.url);
      if (!next) co_return next;
      order = std::move(*next);
    }
    co_return order;
  }

  /// Answers whatever is pending, and gives the order once it is ready.
  Result<acme::Order> authorize(acme::Order order) {
    for (const auto& url : order.authorizations) {
      auto authorization = run(client->fetch_authorization(url));
      if (!authorization) return fail(authorization.error());
      // Pebble reuses half of the authorizations that are valid already.
      if (authorization->status == acme::AuthorizationStatus::valid) continue;
      const auto* challenge = authorization->dns_01();
      if (challenge == nullptr) return fail(Error::Kind::rejected, "test", "no dns-01");
      auto answered = run(client->answer(challenge->url));
      if (!answered) return fail(answered.error());
    }
    return run(leave(std::move(order), acme::OrderStatus::pending));
  }

  Result<acme::Order> finalize(const acme::Order& order, const crypto::PrivateKey& key,
                               const std::vector<std::string>& names) {
    const auto csr = crypto::make_csr(key, parse(names));
    if (!csr) return fail(csr.error());
    auto done = run(client->finalize(order.url, order.finalize, crypto::base64url(*csr)));
    if (!done) return done;
    return run(leave(std::move(*done), acme::OrderStatus::processing));
  }

  /// An issued certificate with its key.
  struct Issued {
    crypto::PrivateKey key;
    acme::Chain chain;
    crypto::CertificateInfo leaf;

    std::string der() const {
      const auto body = chain.pem.substr(0, chain.pem.find("-----END"));
      auto base64 = body.substr(body.find('\n') + 1);
      std::erase(base64, '\n');
      return *crypto::from_base64(base64);
    }
  };
  Result<Issued> issue(const std::string& name, std::string replaces = "") {
    auto order = run(client->new_order({parse({name}), "", std::move(replaces)}));
    if (!order) return fail(order.error());
    order = authorize(std::move(*order));
    if (!order) return fail(order.error());
    auto key = *crypto::PrivateKey::generate(KeyType::ecdsa_p256);
    order = finalize(*order, key, {name});
    if (!order) return fail(order.error());
    auto chain = run(client->download(order->certificate));
    if (!chain) return fail(chain.error());
    auto leaf =
        crypto::check_issued(chain->pem, key.public_key(), parse({name}), loop->clock().now());
    if (!leaf) return fail(leaf.error());
    return Issued{std::move(key), std::move(*chain), std::move(*leaf)};
  }

  /// What the CA itself says of a certificate: Valid or Revoked.
  std::string status_of(const crypto::CertificateInfo& leaf) {
    http::Request request;
    request.url = ca->management_url() + "/cert-status-by-serial/" + leaf.serial.text();
    const auto response = run(ca->http().send(request, loop->clock().now() + patience));
    if (!response) return response.error().message();
    return std::string(boost::json::parse(response->body).at("Status").as_string());
  }

  std::unique_ptr<PebbleCa> ca;
  runtime::EventLoop* loop = nullptr;
  std::unique_ptr<acme::Client> client;
};

std::unique_ptr<contract::CaSetup> a_pebble() { return std::make_unique<PebbleCa>(); }

INSTANTIATE_TEST_SUITE_P(Pebble, AccountsContract,
                         testing::Values(contract::CaCase{"Ca", &a_pebble}),
                         [](const auto& info) { return info.param.name; });

TEST_F(Pebble, OffersADirectory) {
  const auto directory = run(client->directory());
  ASSERT_TRUE(directory) << directory.error().message();
  EXPECT_FALSE(directory->new_order.empty());
  EXPECT_FALSE(directory->renewal_info.empty());
  EXPECT_FALSE(directory->terms_of_service.empty());
  EXPECT_FALSE(directory->external_account_required);
}

TEST_F(Pebble, FindsTheAccountOfAKnownKeyAgain) {
  for (const auto type : {KeyType::ecdsa_p256, KeyType::ecdsa_p384, KeyType::rsa_2048}) {
    const auto key = *crypto::PrivateKey::generate(type);
    client = make_client(key);
    const auto first = register_account();
    ASSERT_TRUE(first) << first.error().message();
    EXPECT_TRUE(first->created);
    EXPECT_EQ(first->status, "valid");

    client = make_client(key);
    const auto again = register_account();
    ASSERT_TRUE(again) << again.error().message();
    EXPECT_FALSE(again->created);
    EXPECT_EQ(again->url, first->url);

    const auto fetched = run(client->fetch_account());
    ASSERT_TRUE(fetched) << fetched.error().message();
    EXPECT_EQ(fetched->contact, std::vector<std::string>{"mailto:ops@example.com"});
  }
}

TEST_F(Pebble, DeniesAccountsThatItDoesNotKnow) {
  const auto unknown_key = run(client->new_account({{}, true, true, {}}));
  ASSERT_FALSE(unknown_key);
  EXPECT_EQ(unknown_key.error().kind, Error::Kind::denied);
  EXPECT_TRUE(unknown_key.error().problem->is_acme("accountDoesNotExist"));

  auto known = register_account();
  ASSERT_TRUE(known) << known.error().message();
  client->use_account(AccountUrl(known->url.text() + "0000"));
  const auto unknown_url = run(client->fetch_account());
  ASSERT_FALSE(unknown_url);
  EXPECT_EQ(unknown_url.error().kind, Error::Kind::denied);
}

TEST_F(Pebble, WantsItsTermsAgreedTo) {
  const auto account = run(client->new_account({}));
  ASSERT_FALSE(account);
  EXPECT_EQ(account.error().kind, Error::Kind::misconfigured);
  EXPECT_TRUE(account.error().problem->is_acme("userActionRequired"));
}

TEST_F(Pebble, IssuesForAWildcardAndItsApex) {
  const std::vector<std::string> names = {"*.fleet.example", "fleet.example"};
  ASSERT_TRUE(register_account());
  auto order = order_for(names);
  ASSERT_TRUE(order) << order.error().message();
  EXPECT_EQ(order->identifiers, names);
  ASSERT_EQ(order->authorizations.size(), 2U);

  std::vector<bool> wildcards;
  for (const auto& url : order->authorizations) {
    const auto authorization = run(client->fetch_authorization(url));
    ASSERT_TRUE(authorization) << authorization.error().message();
    EXPECT_EQ(authorization->identifier.text(), "fleet.example");
    ASSERT_NE(authorization->dns_01(), nullptr);
    wildcards.push_back(authorization->wildcard);
  }
  EXPECT_THAT(wildcards, testing::UnorderedElementsAre(true, false));

  order = authorize(std::move(*order));
  ASSERT_TRUE(order) << order.error().message();
  ASSERT_EQ(order->status, acme::OrderStatus::ready);

  const auto key = *crypto::PrivateKey::generate(KeyType::ecdsa_p256);
  order = finalize(*order, key, names);
  ASSERT_TRUE(order) << order.error().message();
  ASSERT_EQ(order->status, acme::OrderStatus::valid);

  const auto chain = run(client->download(order->certificate));
  ASSERT_TRUE(chain) << chain.error().message();
  const auto leaf =
      crypto::check_issued(chain->pem, key.public_key(), parse(names), loop->clock().now());
  ASSERT_TRUE(leaf) << leaf.error().message();
  EXPECT_EQ(leaf->names, names);

  ASSERT_EQ(chain->alternates.size(), 1U);
  const auto other = run(client->download(chain->alternates.front()));
  ASSERT_TRUE(other) << other.error().message();
  EXPECT_NE(other->pem, chain->pem);

  const auto orders = run(client->list_orders());
  ASSERT_TRUE(orders) << orders.error().message();
  EXPECT_THAT(*orders, testing::Contains(order->url));
}

TEST_F(Pebble, ListsTheOrdersOfAllPages) {
  ASSERT_TRUE(register_account());
  std::vector<OrderUrl> placed;
  for (int i = 0; i < 7; ++i) {  // it gives three on a page
    auto order = order_for({"host" + std::to_string(i) + ".fleet.example"});
    ASSERT_TRUE(order) << order.error().message();
    placed.push_back(order->url);
  }
  const auto orders = run(client->list_orders());
  ASSERT_TRUE(orders) << orders.error().message();
  EXPECT_THAT(*orders, testing::UnorderedElementsAreArray(placed));
}

TEST_F(Pebble, MayBeToldTwiceOfAChallenge) {
  ASSERT_TRUE(register_account());
  auto order = order_for({"twice.example"});
  ASSERT_TRUE(order) << order.error().message();
  const auto authorization = run(client->fetch_authorization(order->authorizations.front()));
  ASSERT_TRUE(authorization && authorization->dns_01());
  const auto url = authorization->dns_01()->url;
  ASSERT_TRUE(run(client->answer(url)));
  ASSERT_TRUE(run(leave(*order, acme::OrderStatus::pending)));
  const auto again = run(client->answer(url));
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(again->status, "valid");
}

TEST_F(Pebble, RefusesACsrForOtherNamesInItsOwnWordsAndLeavesTheOrderReady) {
  ASSERT_TRUE(register_account());
  auto order = order_for({"right.example"});
  ASSERT_TRUE(order) << order.error().message();
  order = authorize(std::move(*order));
  ASSERT_TRUE(order) << order.error().message();
  const auto key = *crypto::PrivateKey::generate(KeyType::ecdsa_p256);
  const auto refused = finalize(*order, key, {"wrong.example"});
  ASSERT_FALSE(refused);
  // It says `unauthorized`, since no authorization was given for that name.
  EXPECT_EQ(refused.error().kind, Error::Kind::denied);
  ASSERT_TRUE(refused.error().problem);
  EXPECT_FALSE(refused.error().problem->detail.empty());
  EXPECT_NE(refused.error().message().find(refused.error().problem->detail), std::string::npos);
  const auto garbled = run(client->finalize(order->url, order->finalize, "bm8gQ1NS"));
  ASSERT_FALSE(garbled);
  EXPECT_EQ(garbled.error().kind, Error::Kind::rejected);
  ASSERT_TRUE(garbled.error().problem);
  EXPECT_FALSE(garbled.error().problem->detail.empty());
  const auto still = run(client->fetch_order(order->url));
  ASSERT_TRUE(still);
  EXPECT_EQ(still->status, acme::OrderStatus::ready);
}

TEST_F(Pebble, RefusesToFinalizeBeforeTheOrderIsReady) {
  ASSERT_TRUE(register_account());
  auto order = order_for({"early.example"});
  ASSERT_TRUE(order) << order.error().message();
  const auto key = *crypto::PrivateKey::generate(KeyType::ecdsa_p256);
  const auto refused = finalize(*order, key, {"early.example"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Error::Kind::conflict);
}

TEST_F(Pebble, RefusesABlockedName) {
  ASSERT_TRUE(register_account());
  const auto order = order_for({"www.blocked.example"});
  ASSERT_FALSE(order);
  EXPECT_EQ(order.error().kind, Error::Kind::rejected);
  EXPECT_TRUE(order.error().problem->is_acme("rejectedIdentifier"));
}

TEST_F(Pebble, SaysNotFoundForWhatIsNotThere) {
  auto account = register_account();
  ASSERT_TRUE(account);
  auto order = order_for({"here.example"});
  ASSERT_TRUE(order);
  const auto gone = run(client->fetch_order(OrderUrl(order->url.text() + "0000")));
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().kind, Error::Kind::not_found);
}

TEST_F(Pebble, TakesNoEdwardsKeyAndSaysSo) {
  client = make_client(*crypto::PrivateKey::generate(KeyType::ed25519));
  const auto account = register_account();
  ASSERT_FALSE(account);
  EXPECT_THAT(account.error().message(), testing::HasSubstr("algorithm"));
}

TEST_F(Pebble, RevokesByTheAccountAndOnlyOnce) {
  ASSERT_TRUE(register_account());
  const auto issued = issue("revoked.example");
  ASSERT_TRUE(issued) << issued.error().message();
  EXPECT_EQ(status_of(issued->leaf), "Valid");

  auto stranger = make_client(*crypto::PrivateKey::generate(KeyType::ecdsa_p256));
  ASSERT_TRUE(run(stranger->new_account({{}, true, false, {}})));
  EXPECT_EQ(run(stranger->revoke(issued->der(), 4)).error().kind, Error::Kind::denied);
  const auto badly = run(client->revoke(issued->der(), 7));
  ASSERT_FALSE(badly);
  EXPECT_TRUE(badly.error().problem->is_acme("badRevocationReason")) << badly.error().message();

  const auto revoked = run(client->revoke(issued->der(), 4));
  ASSERT_TRUE(revoked) << revoked.error().message();
  EXPECT_EQ(status_of(issued->leaf), "Revoked");
  const auto again = run(client->revoke(issued->der(), std::nullopt));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, Error::Kind::conflict);
  EXPECT_TRUE(again.error().problem->is_acme("alreadyRevoked")) << again.error().message();
}

TEST_F(Pebble, RevokesByTheKeyOfTheCertificate) {
  ASSERT_TRUE(register_account());
  const auto issued = issue("leaked.example");
  ASSERT_TRUE(issued) << issued.error().message();
  // Whoever has found the key needs no account.
  auto finder = make_client(*crypto::PrivateKey::generate(KeyType::ecdsa_p256));
  const auto other = *crypto::PrivateKey::generate(KeyType::ecdsa_p256);
  EXPECT_EQ(run(finder->revoke_by_key(issued->der(), other, 1)).error().kind, Error::Kind::denied);
  const auto revoked = run(finder->revoke_by_key(issued->der(), issued->key, 1));
  ASSERT_TRUE(revoked) << revoked.error().message();
  EXPECT_EQ(status_of(issued->leaf), "Revoked");
  const auto again = run(finder->revoke_by_key(issued->der(), issued->key, 1));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, Error::Kind::conflict);
}

TEST_F(Pebble, OffersTheSameCertificateUnderAnotherRoot) {
  ASSERT_TRUE(register_account());
  const auto issued = issue("chain.example");
  ASSERT_TRUE(issued) << issued.error().message();
  ASSERT_EQ(issued->chain.alternates.size(), 1U);
  const auto other = run(client->download(issued->chain.alternates.front()));
  ASSERT_TRUE(other) << other.error().message();
  const auto own_chain = crypto::read_chain(issued->chain.pem);
  const auto other_chain = crypto::read_chain(other->pem);
  ASSERT_TRUE(own_chain && other_chain);
  EXPECT_EQ(own_chain->front().fingerprint, other_chain->front().fingerprint);
  EXPECT_NE(own_chain->back().issuer, other_chain->back().issuer);
  EXPECT_THAT(other_chain->back().issuer, testing::HasSubstr("Root"));
}

TEST_F(Pebble, KnowsWhatWasReplacedAlready) {
  ASSERT_TRUE(register_account());
  const auto first = issue("renewed.example");
  ASSERT_TRUE(first) << first.error().message();
  const auto second = issue("renewed.example", first->leaf.ari_id);
  ASSERT_TRUE(second) << second.error().message();
  const auto third = issue("renewed.example", first->leaf.ari_id);
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().kind, Error::Kind::conflict);
  EXPECT_TRUE(third.error().problem->is_acme("alreadyReplaced"));
}

TEST_F(Pebble, RefusesAPredecessorThatItDoesNotKnow) {
  ASSERT_TRUE(register_account());
  const auto order = issue("renewed.example", "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE");
  ASSERT_FALSE(order);
  ASSERT_TRUE(order.error().problem) << order.error().message();
  // So that the fleet orders without it.
  EXPECT_TRUE(order.error().problem->is_acme("malformed") ||
              order.error().kind == Error::Kind::not_found)
      << order.error().message();
}

class PebbleWithProfiles : public Pebble {
 protected:
  void configure(demo::PebbleOptions& options) override {
    options.profiles = {{"classic", "As ever"}, {"shortlived", "Six days"}};
  }
};

TEST_F(PebbleWithProfiles, IssuesUnderTheOneThatIsAskedFor) {
  ASSERT_TRUE(register_account());
  const auto directory = run(client->directory());
  ASSERT_TRUE(directory);
  EXPECT_EQ(directory->profiles, (std::map<std::string, std::string>{{"classic", "As ever"},
                                                                     {"shortlived", "Six days"}}));
  for (const auto* profile : {"classic", "shortlived"}) {
    const auto order = run(client->new_order({parse({"profile.example"}), profile, ""}));
    ASSERT_TRUE(order) << order.error().message();
    EXPECT_EQ(order->profile, profile);
  }
  const auto none = run(client->new_order({parse({"profile.example"}), "tlsserver", ""}));
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().detail, testing::HasSubstr("classic, shortlived"));
}

/// Lets a directory promise a profile more than the CA has, as one may that is an hour old.
class OldDirectory final : public http::Client {
 public:
  OldDirectory(http::Client& inner, std::string url) : inner_(inner), url_(std::move(url)) {}

  Task<Result<http::Response>> send(http::Request request, Time deadline) override {
    const bool directory = request.url == url_;
    auto response = co_await inner_.send(std::move(request), deadline);
    if (response && directory) {
      auto object = boost::json::parse(response->body);
      object.at("meta").at("profiles").as_object()["withdrawn"] = "No more";
      response->body = boost::json::serialize(object);
    }
    co_return response;
  }

 private:
  http::Client& inner_;
  std::string url_;
};

TEST_F(PebbleWithProfiles, RefusesAProfileThatItHasNoMore) {
  OldDirectory http(ca->http(), ca->directory_url());
  client = ca->client_by(http, *crypto::PrivateKey::generate(KeyType::ecdsa_p256));
  ASSERT_TRUE(register_account());
  const auto order = run(client->new_order({parse({"profile.example"}), "withdrawn", ""}));
  ASSERT_FALSE(order);
  EXPECT_EQ(order.error().kind, Error::Kind::misconfigured);
  ASSERT_TRUE(order.error().problem);
  EXPECT_TRUE(order.error().problem->is_acme("invalidProfile")) << order.error().message();
}

class PebbleWithExternalAccounts : public Pebble {
 protected:
  static constexpr auto* hmac_key = "0123456789abcdef0123456789abcdef";

  void configure(demo::PebbleOptions& options) override {
    options.external_account_keys = {{"kid-1", crypto::base64url(hmac_key)}};
  }
  Result<acme::AccountInfo> register_as(std::optional<acme::ExternalAccount> external) {
    return run(client->new_account({{}, true, false, std::move(external)}));
  }
};

TEST_F(PebbleWithExternalAccounts, WantsEachAccountBoundToOne) {
  const auto directory = run(client->directory());
  ASSERT_TRUE(directory);
  EXPECT_TRUE(directory->external_account_required);

  const auto without = register_as(std::nullopt);
  ASSERT_FALSE(without);
  EXPECT_EQ(without.error().kind, Error::Kind::misconfigured);
  EXPECT_TRUE(without.error().problem->is_acme("externalAccountRequired"));
  EXPECT_THAT(without.error().detail, testing::HasSubstr("set eab for this CA"));

  EXPECT_FALSE(register_as(acme::ExternalAccount{"kid-2", Secret<std::string>(hmac_key)}));
  EXPECT_FALSE(register_as(
      acme::ExternalAccount{"kid-1", Secret<std::string>("fedcba9876543210fedcba9876543210")}));

  for (const auto type : {KeyType::ecdsa_p256, KeyType::ecdsa_p384, KeyType::rsa_2048}) {
    client = make_client(*crypto::PrivateKey::generate(type));
    const auto bound = register_as(acme::ExternalAccount{"kid-1", Secret<std::string>(hmac_key)});
    ASSERT_TRUE(bound) << bound.error().message();
    EXPECT_TRUE(bound->created);
    EXPECT_TRUE(run(client->fetch_account()));
  }
}

}  // namespace
}  // namespace certherd
