#include "app/hosts_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace certherd::app {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(HostsFile, ReadsOneEndpointALine) {
  const auto hosts = read_hosts(
      "\xEF\xBB\xBF# the edge\r\n"
      "www.example.com\r\n"
      "\n"
      "  WWW.Bücher.example:8443 # behind the proxy\n"
      "one.example@192.0.2.1\n"
      "two.example:853@[2001:db8::1]\n"
      "three.example@2001:db8::2");
  ASSERT_TRUE(hosts) << hosts.error().message();
  std::vector<std::string> texts;
  for (const auto& endpoint : *hosts) texts.push_back(endpoint.text());
  EXPECT_THAT(texts, ElementsAre("www.example.com", "www.xn--bcher-kva.example:8443",
                                 "one.example@192.0.2.1", "two.example:853@[2001:db8::1]",
                                 "three.example@[2001:db8::2]"));
}

TEST(HostsFile, NamesEachBadLineByItsNumber) {
  const auto hosts = read_hosts("good.example\nbad..example\n# no\nx.example:0\n[::1]:443\n*.y.z");
  ASSERT_FALSE(hosts);
  EXPECT_EQ(hosts.error().kind, Error::Kind::misconfigured);
  EXPECT_THAT(hosts.error().detail, HasSubstr("4 bad lines"));
  std::vector<std::string> causes;
  for (const auto& cause : hosts.error().causes) causes.push_back(cause.message());
  EXPECT_THAT(causes, ElementsAre(AllOf(HasSubstr("line 2:"), HasSubstr("bad..example")),
                                  AllOf(HasSubstr("line 4:"), HasSubstr("port")),
                                  AllOf(HasSubstr("line 5:"), HasSubstr("host:port@address")),
                                  AllOf(HasSubstr("line 6:"), HasSubstr("wildcard"))));
}

TEST(HostsFile, AnEmptyListIsAMistake) {
  for (const auto* text : {"", "\n\n", "# nothing yet\n"}) {
    const auto hosts = read_hosts(text);
    ASSERT_FALSE(hosts);
    EXPECT_THAT(hosts.error().message(), HasSubstr("empty"));
  }
}

TEST(HostsFile, DoesNotFillTheTerminal) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "no host\n";
  const auto hosts = read_hosts(text);
  ASSERT_FALSE(hosts);
  EXPECT_THAT(hosts.error().detail, HasSubstr("1000 bad lines"));
  EXPECT_EQ(hosts.error().causes.size(), 100U);
}

}  // namespace
}  // namespace certherd::app
