#include "deploy/files/bundles.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "crypto/local_ca.hpp"
#include "crypto/private_key.hpp"
#include "crypto/x509.hpp"

namespace certherd::deploy {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Key;
using testing::Pair;

class BundlesTest : public testing::Test {
 protected:
  std::map<std::string, std::string> bundles(const std::set<Server>& servers) const {
    const auto files = bundles_of(material, servers);
    EXPECT_TRUE(files) << files.error().message();
    std::map<std::string, std::string> contents;
    for (const auto& file : *files) {
      EXPECT_TRUE(contents.emplace(file.name, file.content.reveal()).second) << file.name;
    }
    return contents;
  }

  Time now = *parse_time("2026-11-23T12:00:00Z");
  crypto::LocalCa ca{"the root", now};
  crypto::PrivateKey key = crypto::PrivateKey::generate(KeyType::ecdsa_p256).value();
  Material material{
      "", key.to_pem(),
      ca.issue(key.public_key(), {"example.com"}, 0x11, now, now + std::chrono::days(90))};
  std::string leaf = crypto::split_chain(material.fullchain)->leaf;
};

TEST_F(BundlesTest, NginxWantsNothingMore) { EXPECT_THAT(bundles({Server::nginx}), IsEmpty()); }

TEST_F(BundlesTest, HaproxyReadsTheKeyAndThenTheWholeChain) {
  EXPECT_THAT(bundles({Server::haproxy}),
              ElementsAre(Pair("bundle.pem", material.private_key.reveal() + material.fullchain)));
}

TEST_F(BundlesTest, ApacheReadsTheLeafApartFromWhatIsAboveIt) {
  EXPECT_THAT(bundles({Server::apache}),
              ElementsAre(Pair("cert.pem", leaf), Pair("chain.pem", ca.root_pem())));
}

TEST_F(BundlesTest, LighttpdReadsTheKeyBehindTheLeaf) {
  EXPECT_THAT(bundles({Server::lighttpd}),
              ElementsAre(Pair("chain.pem", ca.root_pem()),
                          Pair("pemfile.pem", leaf + material.private_key.reveal())));
}

TEST_F(BundlesTest, WhatSeveralServersReadIsThereOnce) {
  EXPECT_THAT(
      bundles({Server::nginx, Server::haproxy, Server::apache, Server::lighttpd}),
      ElementsAre(Key("bundle.pem"), Key("cert.pem"), Key("chain.pem"), Key("pemfile.pem")));
}

TEST_F(BundlesTest, NothingStandsAboveALeafByItself) {
  material.fullchain = leaf;
  EXPECT_EQ(bundles({Server::apache}).at("chain.pem"), "");
}

TEST_F(BundlesTest, AKeyWithoutAnEndOfLineGetsOne) {
  material.private_key = Secret<std::string>("key");
  EXPECT_EQ(bundles({Server::haproxy}).at("bundle.pem"), "key\n" + material.fullchain);
}

TEST_F(BundlesTest, AChainThatCannotBeTakenApartIsRejected) {
  material.fullchain = "no chain";
  const auto files = bundles_of(material, {Server::lighttpd});
  ASSERT_FALSE(files);
  EXPECT_EQ(files.error().kind, Error::Kind::rejected);
}

}  // namespace
}  // namespace certherd::deploy
