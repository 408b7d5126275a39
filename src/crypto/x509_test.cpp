#include "crypto/x509.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/certificate_chain.hpp"
#include "crypto/encoding.hpp"
#include "crypto/local_ca.hpp"
#include "crypto/openssl.hpp"

namespace certherd::crypto {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

const Time now = parse_time("2026-11-23T12:00:00Z").value();

const std::string ten_megabytes(std::size_t{10} << 20U, 'A');

// RFC 9773 appendix A.
constexpr std::string_view rfc9773_certificate =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBQzCB66ADAgECAgUAh2VDITAKBggqhkjOPQQDAjAVMRMwEQYDVQQDEwpFeGFt\n"
    "cGxlIENBMCIYDzAwMDEwMTAxMDAwMDAwWhgPMDAwMTAxMDEwMDAwMDBaMBYxFDAS\n"
    "BgNVBAMTC2V4YW1wbGUuY29tMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEeBZu\n"
    "7cbpAYNXZLbbh8rNIzuOoqOOtmxA1v7cRm//AwyMwWxyHz4zfwmBhcSrf47NUAFf\n"
    "qzLQ2PPQxdTXREYEnKMjMCEwHwYDVR0jBBgwFoAUaYhba4dGQEHhs3uEe6CuLN4B\n"
    "yNQwCgYIKoZIzj0EAwIDRwAwRAIge09+S5TZAlw5tgtiVvuERV6cT4mfutXIlwTb\n"
    "+FYN/8oCIClDsqBklhB9KAelFiYt9+6FDj3z4KGVelYM5MdsO3pK\n"
    "-----END CERTIFICATE-----\n";

TEST(ReadChain, GivesTheAriIdOfTheRfc) {
  const auto chain = read_chain(rfc9773_certificate);
  ASSERT_TRUE(chain) << chain.error().message();
  const CertificateInfo& leaf = chain->front();
  EXPECT_EQ(leaf.ari_id, "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE");
  EXPECT_EQ(leaf.serial, Serial("87654321"));
  EXPECT_EQ(leaf.subject, "CN=example.com");
  EXPECT_EQ(leaf.issuer, "Example CA");
  EXPECT_EQ(format_time(leaf.not_after), "0001-01-01T00:00:00Z");
  EXPECT_TRUE(leaf.names.empty());
}

class Chain : public testing::Test {
 protected:
  std::string issue(const std::vector<std::string>& names) const {
    return ca.issue(key.public_key(), names, 0x1234, now - 1h, now + 90 * 24h);
  }

  static std::string der_of(std::string_view pem) {
    const auto begin = pem.find('\n') + 1;
    std::string body(pem.substr(begin, pem.find("-----END") - begin));
    std::erase(body, '\n');
    return from_base64(body).value();
  }

  LocalCa ca{"Test CA", now};
  PrivateKey key = PrivateKey::generate(KeyType::ecdsa_p256).value();
};

TEST_F(Chain, IsReadLeafFirst) {
  const auto chain = read_chain(issue({"WWW.Example.com", "a.example"}));
  ASSERT_TRUE(chain) << chain.error().message();
  ASSERT_EQ(chain->size(), 2U);
  const CertificateInfo& leaf = chain->front();
  EXPECT_THAT(leaf.names, ElementsAre("a.example", "www.example.com"));
  EXPECT_EQ(leaf.serial, Serial("1234"));
  EXPECT_EQ(leaf.issuer, "Test CA");
  EXPECT_EQ(leaf.not_before, now - 1h);
  EXPECT_EQ(leaf.not_after, now + 90 * 24h);
  EXPECT_EQ(leaf.public_key, key.public_key());
  EXPECT_FALSE(leaf.is_ca);
  EXPECT_FALSE(leaf.ari_id.empty());
  EXPECT_TRUE(chain->back().is_ca);
  EXPECT_EQ(chain->back().subject, "CN=Test CA");
}

TEST_F(Chain, ACertificateIsTheSameInDer) {
  const std::string pem = issue({"a.example"});
  const auto from_der = read_certificate(der_of(pem));
  ASSERT_TRUE(from_der);
  EXPECT_EQ(from_der->fingerprint, read_chain(pem)->front().fingerprint);
  EXPECT_EQ(from_der->fingerprint.text(), hex(sha256(der_of(pem))));
}

TEST_F(Chain, FallsIntoItsParts) {
  const auto pem = issue({"a.example"});
  const auto parts = split_chain("\n" + pem);
  ASSERT_TRUE(parts) << parts.error().message();
  EXPECT_EQ(parts->leaf + parts->others, pem);
  EXPECT_EQ(parts->leaf_der, der_of(pem));
  EXPECT_EQ(split_chain(parts->leaf)->others, "");
  EXPECT_FALSE(split_chain(""));
}

TEST_F(Chain, MayHaveWindowsLineEnds) {
  std::string pem;
  for (const char c : issue({"a.example"}))
    pem += c == '\n' ? std::string("\r\n") : std::string(1, c);
  EXPECT_TRUE(read_chain(pem));
}

TEST_F(Chain, HoldsNothingButCertificates) {
  const std::string good = issue({"a.example"});
  const std::string end = "-----END CERTIFICATE-----";
  std::string many;
  for (int i = 0; i < 17; ++i) many += ca.root_pem();
  std::string damaged = good;
  damaged[200] = '!';
  for (const std::string& text : {
           std::string(),
           std::string(" \n"),
           std::string("garbage"),
           good + "trailing",
           "leading " + good,
           good + key.to_pem().reveal(),
           key.to_pem().reveal() + good,
           damaged,
           good.substr(0, good.find(end)),
           many,
           ten_megabytes,
           "-----BEGIN CERTIFICATE-----\n" + ten_megabytes + "\n" + end,
           "-----BEGIN CERTIFICATE-----\nAAAA\n" + end,
           "-----BEGIN CERTIFICATE-----\n" + end,
           "-----BEGIN CERTIFICATE-----\n" + base64(der_of(good) + "x") + "\n" + end,
       }) {
    const auto chain = read_chain(text);
    ASSERT_FALSE(chain) << text.substr(0, 100);
    EXPECT_EQ(chain.error().kind, Error::Kind::rejected);
    EXPECT_LT(chain.error().message().size(), 300U);
  }
  EXPECT_TRUE(read_chain(good + " \r\n\t"));
}

TEST_F(Chain, EveryCutOrChangedOctetIsSurvived) {
  const std::string der = der_of(issue({"a.example", "192.0.2.1"}));
  for (std::size_t i = 0; i < der.size(); ++i) {
    EXPECT_FALSE(read_certificate(std::string_view(der).substr(0, i)));
    for (const char c : {'\x00', '\x1e', '\x30', '\x7f', '\xff'}) {
      std::string changed = der;
      changed[i] = c;
      const auto info = read_certificate(changed);
      EXPECT_TRUE(info || info.error().kind == Error::Kind::rejected);
    }
  }
  EXPECT_FALSE(read_certificate(std::string(1'000'000, '\x30')));
}

class Issued : public Chain {
 protected:
  Result<CertificateInfo> check(const std::string& chain, Time at = now) const {
    return check_issued(chain, key.public_key(), names, at);
  }

  void expect_refused(const Result<CertificateInfo>& result, const std::string& why,
                      Error::Kind kind = Error::Kind::rejected) const {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, kind);
    EXPECT_THAT(result.error().message(), HasSubstr(why));
  }

  std::vector<Fqdn> names = {Fqdn::literal("b.example"), Fqdn::literal("*.a.example")};
};

TEST_F(Issued, AcceptsWhatWasAskedFor) {
  const auto info = check(issue({"b.example", "*.a.example"}));
  ASSERT_TRUE(info) << info.error().message();
  EXPECT_EQ(info->serial, Serial("1234"));

  names.push_back(names.front());
  EXPECT_TRUE(check(issue({"*.a.example", "b.example"})));
}

TEST_F(Issued, RefusesAnotherKey) {
  const PrivateKey other = PrivateKey::generate(KeyType::ecdsa_p256).value();
  expect_refused(
      check(ca.issue(other.public_key(), {"b.example", "*.a.example"}, 1, now - 1h, now + 24h)),
      "another key");
}

TEST_F(Issued, RefusesAMissingName) {
  expect_refused(check(issue({"b.example"})), "lacks *.a.example");
}

TEST_F(Issued, RefusesAnExtraName) {
  expect_refused(check(issue({"b.example", "*.a.example", "c.example"})), "names c.example too");
  expect_refused(check(issue({"b.example", "*.a.example", "192.0.2.1"})), "no host name");
}

// By the clock of this machine, which may be the one that is wrong.
TEST_F(Issued, RefusesOneThatIsNotYetValidButForgivesAnHour) {
  const std::string chain = issue({"b.example", "*.a.example"});  // valid from an hour before now
  EXPECT_TRUE(check(chain, now - 2h));
  expect_refused(check(chain, now - 2h - 1s), "not valid before 2026-11-23T11:00:00Z",
                 Error::Kind::misconfigured);
  expect_refused(check(chain, now - 24h), "the clock of this machine says 2026-11-22T12:00:00Z",
                 Error::Kind::misconfigured);
}

TEST_F(Issued, RefusesAnExpiredOne) {
  const std::string chain = issue({"b.example", "*.a.example"});
  EXPECT_TRUE(check(chain, now + 90 * 24h - 1s));
  expect_refused(check(chain, now + 90 * 24h), "expired at 2027-02-21T12:00:00Z",
                 Error::Kind::misconfigured);
}

TEST_F(Issued, RefusesACaAsLeaf) {
  const PrivateKey ca_key = PrivateKey::generate(KeyType::ed25519).value();
  const LocalCa self_signed("b.example", now, ca_key);
  const auto result = check_issued(self_signed.root_pem(), ca_key.public_key(), {}, now);
  expect_refused(result, "CA's certificate");
}

TEST_F(Issued, RefusesAChainWithABrokenSignature) {
  const std::string chain = issue({"b.example", "*.a.example"});
  const std::string leaf = chain.substr(0, chain.size() - ca.root_pem().size());
  // The same name, another key.
  const LocalCa impostor("Test CA", now);
  expect_refused(check(leaf + impostor.root_pem()), "not signed by the next");
  // The same key, another name.
  const PrivateKey shared = PrivateKey::generate(KeyType::ed25519).value();
  const LocalCa one("One", now, shared);
  const LocalCa two("Two", now, shared);
  const std::string by_one =
      one.issue(key.public_key(), {"b.example", "*.a.example"}, 1, now - 1h, now + 24h);
  EXPECT_TRUE(check(by_one));
  expect_refused(check(by_one.substr(0, by_one.size() - one.root_pem().size()) + two.root_pem()),
                 "not signed by the next");
  expect_refused(check(chain + impostor.root_pem()), "certificate 2 of the chain");
  // What the signature covers was changed.
  std::string der = der_of(leaf);
  der[der.find('\x12')] = '\x13';
  expect_refused(check(to_pem("CERTIFICATE", der) + ca.root_pem()), "not signed by the next");
}

TEST_F(Issued, RefusesWhatIsNoChain) {
  const std::string chain = issue({"b.example", "*.a.example"});
  expect_refused(check(chain + key.to_pem().reveal()), "other than a CERTIFICATE block");
  expect_refused(check("garbage"), "other than a CERTIFICATE block");
  expect_refused(check(""), "there is none");
  expect_refused(check(ten_megabytes), "longer than 1 MiB");
}

class Trusted : public Chain {
 protected:
  static Status check_trusted(const std::vector<std::string>& chain, std::string_view roots,
                              Time at) {
    const auto trusted = TrustedRoots::load(roots);
    if (!trusted) return fail(trusted.error());
    return trusted->judge(as_served(chain), at);
  }

  /// As a handshake leaves it, of which only the chain's own share remains.
  static ServedChain as_served(const std::vector<std::string>& chain) {
    std::vector<CertificateHandle> read;
    const CertificateStack stack(sk_X509_new_null());
    for (const auto& der : chain) {
      read.push_back(std::move(parse_certificate(der).value()));
      sk_X509_push(stack.get(), read.back().get());
    }
    return ServedChain(stack.get());
  }
  std::vector<std::string> served() const {
    const std::string chain = issue({"a.example"});
    return {der_of(chain), der_of(ca.root_pem())};
  }
};

TEST_F(Trusted, GoesBackToAGivenRoot) {
  EXPECT_TRUE(check_trusted(served(), ca.root_pem(), now));
  EXPECT_TRUE(check_trusted({served().front()}, ca.root_pem(), now));
}

TEST_F(Trusted, RefusesAnUnknownRootAndAnEmptyChain) {
  const LocalCa other("Other CA", now);
  for (const Status& status :
       {check_trusted(served(), "", now), check_trusted(served(), other.root_pem(), now),
        check_trusted({served().front()}, "", now), check_trusted({}, ca.root_pem(), now),
        check_trusted(served(), "garbage", now)}) {
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().kind, Error::Kind::rejected);
  }
}

TEST_F(Trusted, AServedChainIsDescribedLeafFirst) {
  const auto chain = as_served(served());
  EXPECT_FALSE(chain.empty());
  const auto infos = chain.describe();
  ASSERT_EQ(infos.size(), 2U);
  EXPECT_EQ(infos[0].names, std::vector<std::string>{"a.example"});
  EXPECT_EQ(infos[1].subject, "CN=Test CA");
  EXPECT_TRUE(ServedChain(nullptr).empty());
}

TEST_F(Trusted, LeavesTheDatesOfTheLeafToTheCallerButNotThoseOfTheRoot) {
  EXPECT_TRUE(check_trusted(served(), ca.root_pem(), now + 365 * 24h));
  EXPECT_TRUE(check_trusted(served(), ca.root_pem(), now - 2h));
  const auto later = check_trusted(served(), ca.root_pem(), now + 12 * 365 * 24h);
  ASSERT_FALSE(later);
  EXPECT_THAT(later.error().message(), HasSubstr("expired"));
}

TEST_F(Trusted, RefusesAForgedLeaf) {
  auto chain = served();
  const PrivateKey other = PrivateKey::generate(KeyType::ed25519).value();
  const LocalCa impostor("Test CA", now, other);
  chain.front() = der_of(impostor.issue(key.public_key(), {"a.example"}, 1, now, now + 24h));
  EXPECT_FALSE(check_trusted(chain, ca.root_pem(), now));
}

}  // namespace
}  // namespace certherd::crypto
