#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "acme/client.hpp"
#include "crypto/private_key.hpp"
#include "runtime/event_loop.hpp"

namespace certherd::contract {

/// A CA under test with all that it lives on.
class CaSetup {
 public:
  virtual ~CaSetup() = default;
  virtual runtime::EventLoop& loop() = 0;
  /// A client that signs by this key.
  virtual std::unique_ptr<acme::Client> client(const crypto::PrivateKey& key) = 0;
};

struct CaCase {
  std::string name;
  std::function<std::unique_ptr<CaSetup>()> make;
};

/// What every CA promises about accounts. A program that includes this says which ones by
/// INSTANTIATE_TEST_SUITE_P(..., AccountsContract, ...).
class AccountsContract : public testing::TestWithParam<CaCase> {
 protected:
  using Contacts = std::vector<std::string>;

  template <typename T>
  T run(Task<T> task) {
    return setup_->loop().run(std::move(task));
  }

  static crypto::PrivateKey new_key(KeyType type = KeyType::ecdsa_p256) {
    return *crypto::PrivateKey::generate(type);
  }
  std::unique_ptr<acme::Client> client(const crypto::PrivateKey& key) {
    return setup_->client(key);
  }
  Result<acme::AccountInfo> register_by(acme::Client& client) {
    return run(client.new_account({{"mailto:ops@example.com"}, true, false, {}}));
  }
  /// What a process does that holds a key and does not know what became of it.
  Result<acme::AccountInfo> look_for(const crypto::PrivateKey& key) {
    auto asking = client(key);
    return run(asking->new_account({{}, true, true, {}}));
  }
  bool is_unknown(const crypto::PrivateKey& key) {
    const auto found = look_for(key);
    return !found && found.error().kind == Error::Kind::denied && found.error().problem &&
           found.error().problem->is_acme("accountDoesNotExist");
  }
  Result<acme::Order> order_by(acme::Client& client) {
    return run(client.new_order({{Fqdn::literal("fleet.example")}, "", ""}));
  }

 private:
  std::unique_ptr<CaSetup> setup_ = GetParam().make();
};

TEST_P(AccountsContract, AKnownKeyHasItsAccountAndAnUnknownOneHasNone) {
  const auto key = new_key();
  EXPECT_TRUE(is_unknown(key));
  auto first = client(key);
  const auto made = register_by(*first);
  ASSERT_TRUE(made) << made.error().message();
  EXPECT_TRUE(made->created);
  EXPECT_EQ(made->status, "valid");

  const auto again = register_by(*first);
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_FALSE(again->created);
  EXPECT_EQ(again->url, made->url);
  const auto found = look_for(key);
  ASSERT_TRUE(found) << found.error().message();
  EXPECT_EQ(found->url, made->url);
  EXPECT_TRUE(is_unknown(new_key()));
}

TEST_P(AccountsContract, ContactsAreReplaced) {
  auto own = client(new_key());
  ASSERT_TRUE(register_by(*own));
  const auto updated = run(own->update_account({"mailto:a@example.com", "mailto:b@example.com"}));
  ASSERT_TRUE(updated) << updated.error().message();
  const auto fetched = run(own->fetch_account());
  ASSERT_TRUE(fetched) << fetched.error().message();
  EXPECT_THAT(fetched->contact,
              testing::UnorderedElementsAre("mailto:a@example.com", "mailto:b@example.com"));
}

TEST_P(AccountsContract, AChangedKeySignsForTheSameAccountAndTheOldOneForNone) {
  auto old_key = new_key(KeyType::ecdsa_p256);
  auto own = client(old_key);
  const auto made = register_by(*own);
  ASSERT_TRUE(made) << made.error().message();
  const auto order = order_by(*own);
  ASSERT_TRUE(order) << order.error().message();

  for (const auto type : {KeyType::ecdsa_p384, KeyType::rsa_2048, KeyType::ecdsa_p256}) {
    const auto next = new_key(type);
    const auto value = own->challenge_value("token");
    const auto changed = run(own->change_key(next));
    ASSERT_TRUE(changed) << changed.error().message();
    EXPECT_NE(own->challenge_value("token"), value);

    const auto fetched = run(own->fetch_account());
    ASSERT_TRUE(fetched) << fetched.error().message();
    EXPECT_EQ(fetched->url, made->url);
    const auto found = look_for(next);
    ASSERT_TRUE(found) << found.error().message();
    EXPECT_EQ(found->url, made->url);
    EXPECT_TRUE(is_unknown(old_key));
    auto late = client(old_key);
    late->use_account(made->url);
    EXPECT_FALSE(run(late->fetch_account()));
    old_key = next;
  }
  // RFC 8555 section 7.3.5: what the account has begun goes on.
  const auto still = run(own->fetch_order(order->url));
  ASSERT_TRUE(still) << still.error().message();
}

TEST_P(AccountsContract, AKeyThatHasAnAccountCannotBecomeAnothersKey) {
  const auto taken = new_key();
  auto other = client(taken);
  ASSERT_TRUE(register_by(*other));
  auto own = client(new_key());
  ASSERT_TRUE(register_by(*own));
  const auto changed = run(own->change_key(taken));
  ASSERT_FALSE(changed);
  EXPECT_EQ(changed.error().kind, Error::Kind::conflict);
  EXPECT_TRUE(run(own->fetch_account()));
  EXPECT_TRUE(run(other->fetch_account()));
}

TEST_P(AccountsContract, ADeactivatedAccountDoesNothingAnyMore) {
  const auto key = new_key();
  auto own = client(key);
  ASSERT_TRUE(register_by(*own));
  const auto ended = run(own->deactivate_account());
  ASSERT_TRUE(ended) << ended.error().message();
  EXPECT_EQ(ended->status, "deactivated");

  const auto order = order_by(*own);
  ASSERT_FALSE(order);
  EXPECT_EQ(order.error().kind, Error::Kind::denied);
  EXPECT_FALSE(run(own->update_account({})));
  EXPECT_FALSE(run(own->change_key(new_key())));
}

}  // namespace certherd::contract
