// The ACME client against a real CA: Pebble, which here refuses half of all nonces, hands out
// wrong-looking but allowed things at random (order of lists, form of Retry-After, reused
// authorizations), and takes every challenge for answered.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "acme/http_client.hpp"
#include "crypto/csr.hpp"
#include "crypto/encoding.hpp"
#include "crypto/x509.hpp"
#include "demo/pebble.hpp"
#include "http/curl_client.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/offload.hpp"

namespace certherd {
namespace {

constexpr auto patience = std::chrono::seconds(60);

class Pebble : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = std::filesystem::temp_directory_path() / "certherd-pebble-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    demo::PebbleOptions options;
    options.folder = folder_;
    options.domain_blocklist = {"blocked.example"};
    options.environment = {{"PEBBLE_WFE_NONCEREJECT", "50"},
                           {"PEBBLE_VA_ALWAYS_VALID", "1"},
                           {"PEBBLE_VA_NOSLEEP", "1"},
                           {"PEBBLE_ALTERNATE_ROOTS", "1"}};
    auto pebble =
        loop->run(demo::PebbleServer::start(loop.get(), offload.get(), std::move(options)));
    ASSERT_TRUE(pebble) << pebble.error().message();
    pebble_ = std::move(*pebble);
    http_ = http::make_curl_client(
        *loop, {.user_agent = "certherd-test", .trust_pem = pebble_->trust_pem()});
    client = make_client(*crypto::PrivateKey::generate(KeyType::ecdsa_p256));
  }

  void TearDown() override {
    client.reset();
    if (pebble_) loop->run(pebble_->stop());
    pebble_.reset();
    http_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  std::unique_ptr<acme::Client> make_client(crypto::PrivateKey key) {
    return acme::make_client(*http_, *loop, *offload, {pebble_->directory_url(), std::move(key)});
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

  std::unique_ptr<runtime::EventLoop> loop = runtime::make_event_loop();
  std::unique_ptr<runtime::Offload> offload = runtime::make_thread_offload(*loop, 2);
  std::unique_ptr<acme::Client> client;

 private:
  std::filesystem::path folder_;
  std::unique_ptr<demo::PebbleServer> pebble_;
  std::unique_ptr<http::Client> http_;
};

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

}  // namespace
}  // namespace certherd
