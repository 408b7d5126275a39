#include <fmt/format.h>
#include <gmock/gmock.h>

#include <boost/json.hpp>

#include "on_tls_hosts.hpp"
#include "own_mounts.hpp"

namespace certherd::e2e {
namespace {

namespace json = boost::json;
using std::chrono::days;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr int wrong_usage = 2;

/// Certificates that several domains share, on a loopback server.
class SharedCertificates : public OnTlsHosts {
 protected:
  void serve(const std::vector<std::string>& hosts, const std::vector<std::string>& names,
             Time not_after, const std::string& address = {}) {
    const auto chain = ca_.issue(key_.public_key(), names, ++serial_, now_ - days(60), not_after);
    for (const auto& host : hosts) servers_.add(host, chain, key_, address);
  }

  crypto::PrivateKey key_ = crypto::PrivateKey::generate(KeyType::ecdsa_p256).value();

 private:
  std::uint64_t serial_ = 0x10;
};

TEST_F(SharedCertificates, AreToldAndSplitIntoAnInventoryThatCanBeImported) {
  serve({"shop.test", "www.shop.test", "news.test", "lost.test"},
        {"shop.test", "www.shop.test", "*.news.test", "news.test", "somebody.test"},
        now_ + days(20));
  serve({"alone.test"}, {"alone.test", "www.alone.test"}, now_ + days(20));
  start_servers();
  const auto list = fmt::format("{}\n{}\n{}\n{}\n", at("shop.test"), at("www.shop.test"),
                                at("news.test"), at("alone.test"));

  const auto told = run({"scan", "--split", "--hosts", "-"}, list);
  EXPECT_EQ(told.status, 0) << told.err;
  EXPECT_THAT(told.out,
              AllOf(HasSubstr("shop.test www.shop.test"), HasSubstr("news.test *.news.test"),
                    HasSubstr("1 certificate is shared by 3 domains of 3 registered domains"),
                    HasSubstr("1 new domain is disabled"), HasSubstr("--out FILE"),
                    Not(HasSubstr("alone.test"))));

  const auto written = run({"scan", "--split", "--hosts", "-", "--out", "own.csv"}, list);
  EXPECT_EQ(written.status, 0) << written.err;
  EXPECT_THAT(written.out, HasSubstr("3 domains are in own.csv: certherd domain import own.csv"));
  const auto csv = content_of(path("own.csv"));
  const auto printed = run({"scan", "--split", "--hosts", "-", "--out", "-"}, list);
  EXPECT_EQ(printed.out, csv);

  // Never in the place of something.
  const auto again = run({"scan", "--split", "--hosts", "-", "--out", "own.csv"}, list);
  EXPECT_EQ(again.status, wrong_usage);
  EXPECT_THAT(again.err, HasSubstr("own.csv is there already"));
  EXPECT_EQ(content_of(path("own.csv")), csv);

  ASSERT_EQ(run({"domain", "import", "own.csv"}).status, 0);
  const auto rows = run({"--json", "domain", "export"}).json().at("domains").as_array();
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].at("domain"), "news.test");
  EXPECT_EQ(rows[0].at("names"), json::value(json::array{"*.news.test"}));
  EXPECT_EQ(rows[0].at("endpoints"), json::value(json::array{at("news.test")}));
  EXPECT_EQ(rows[1].at("domain"), "shop.test");
  EXPECT_EQ(rows[1].at("names"), json::value(json::array{"www.shop.test"}));
  EXPECT_EQ(rows[2].at("domain"), "somebody.test");
  EXPECT_EQ(rows[2].at("enabled"), false);

  // From then on the inventory knows; an endpoint that cannot be read may hide something.
  const auto whole = run({"--json", "scan", "--split"});
  EXPECT_EQ(whole.status, 0) << whole.err;
  for (const auto& own : whole.json().at("proposed").as_array()) {
    EXPECT_EQ(own.at("state"), "present") << own;
  }
  EXPECT_EQ(whole.json().at("shared").at(0).at("domains").as_array().size(), 3U);
  const auto nobody = fmt::format("news.test:{}@127.0.0.1", servers_.plain_port());
  const auto unread = run({"--json", "scan", "--split", "--hosts", "-"}, nobody);
  EXPECT_EQ(unread.status, 1);
  EXPECT_EQ(unread.json().at("unread").at(0).at("endpoint").as_string(), nobody);
}

TEST_F(SharedCertificates, OfTheInventoryAreSplitByASync) {
  serve({"shop.test", "news.test"}, {"shop.test", "news.test"}, now_ + days(20));
  start_servers();
  const auto inventory =
      fmt::format("domain,names,endpoints,owner,team\nshop.test,news.test,{} {},web,seven\n",
                  at("shop.test"), at("news.test"));
  ASSERT_EQ(run({"domain", "import", "-"}, inventory).status, 0);
  const auto written = run({"scan", "shop.test", "--split", "--out", "own.csv"});
  EXPECT_EQ(written.status, 0) << written.err;
  EXPECT_THAT(written.out, HasSubstr("certherd domain sync own.csv"));
  const auto synced = run({"domain", "sync", "own.csv", "--yes"});
  ASSERT_EQ(synced.status, 0) << synced.err;
  const auto rows = run({"--json", "domain", "export"}).json().at("domains").as_array();
  ASSERT_EQ(rows.size(), 2U);
  for (const auto& row : rows) {
    EXPECT_THAT(row.at("names").as_array(), IsEmpty());
    EXPECT_EQ(row.at("endpoints").as_array().size(), 1U);
    EXPECT_EQ(row.at("owner"), "web");
    EXPECT_EQ(row.at("team"), "seven");
  }
}

TEST_F(SharedCertificates, WrongUsageIsToldBeforeAnythingIsLookedAt) {
  EXPECT_EQ(run({"scan", "--out", "own.csv"}).status, wrong_usage);
  EXPECT_EQ(run({"--json", "scan", "--split", "--out", "-"}).status, wrong_usage);
  EXPECT_EQ(run({"scan", "--split", "--out", "nowhere/own.csv"}).status, wrong_usage);
  const auto empty = run({"scan", "--split", "--out", "own.csv"});
  EXPECT_EQ(empty.status, 0) << empty.err;
  EXPECT_THAT(empty.out, HasSubstr("no certificate is shared"));
  EXPECT_FALSE(std::filesystem::exists(path("own.csv")));
}

TEST_F(SharedCertificates, OneAddressOfAHostThatStillServesTheFormerOneIsFound) {
  serve({"two.test"}, {"two.test"}, now_ + days(80), "127.0.0.1");
  serve({"two.test"}, {"two.test"}, now_ - days(1), "[::1]");
  start_servers();
  OwnMounts mounts;
  write_file(path("hosts"), "127.0.0.1 localhost two.test\n::1 two.test\n127.0.0.1 two.test\n");
  mounts.show_at(path("hosts"), "/etc/hosts");

  const auto list = fmt::format("two.test:{}\n", servers_.port());
  const auto all = run({"--json", "scan", "--all-addresses", "--hosts", "-"}, list);
  EXPECT_EQ(all.status, 1) << all.err;
  std::map<std::string, std::string> statuses;
  for (const auto& finding : all.json().at("endpoints").as_array()) {
    statuses.emplace(finding.at("address").as_string(), finding.at("status").as_string());
  }
  const auto port = servers_.port();
  EXPECT_EQ(statuses,
            (std::map<std::string, std::string>{{fmt::format("127.0.0.1:{}", port), "ok"},
                                                {fmt::format("[::1]:{}", port), "expired"}}));
  const auto one = run({"--json", "scan", "--hosts", "-"}, list);
  EXPECT_EQ(one.json().at("endpoints").as_array().size(), 1U);
}

}  // namespace
}  // namespace certherd::e2e
