#include "acme/urls.hpp"

#include <gtest/gtest.h>

namespace certherd::acme {
namespace {

TEST(CheckUrl, KeepsAnHttpsUrlExactlyAsItWasWritten) {
  const std::string url = "https://CA.example:443/a/../b?x=%7e";
  EXPECT_EQ(*check_url(url), url);
}

TEST(CheckUrl, RefusesPlainHttpAlsoToThisMachine) {
  EXPECT_FALSE(check_url("http://ca.example/dir"));
  EXPECT_FALSE(check_url("http://127.0.0.1:14000/dir"));
  EXPECT_FALSE(check_url("http://localhost/dir"));
}

TEST(CheckUrl, RefusesWhatIsNoUrlOfAServer) {
  for (const auto* text : {"", "/relative", "https://", "https:///x", "file:///etc/passwd",
                           "https://ca.example/a b", "https://ca.example/\r\nHost: x"}) {
    const auto url = check_url(text);
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(url.error().kind, Error::Kind::rejected);
  }
  EXPECT_FALSE(check_url("https://ca.example/" + std::string(3000, 'a')));
}

TEST(ResolveUrl, JoinsARelativeReferenceToTheUrlThatWasAsked) {
  EXPECT_EQ(*resolve_url("https://ca.example/acme/cert/1", "/acme/cert/1/1"),
            "https://ca.example/acme/cert/1/1");
  EXPECT_EQ(*resolve_url("https://ca.example/a?cursor=1", "?cursor=2"),
            "https://ca.example/a?cursor=2");
}

TEST(ResolveUrl, LeavesAnAbsoluteOneAloneAndHoldsItToHttps) {
  EXPECT_EQ(*resolve_url("https://ca.example/", "https://other.example/a/../b"),
            "https://other.example/a/../b");
  EXPECT_FALSE(resolve_url("https://ca.example/", "http://ca.example/x"));
  EXPECT_FALSE(resolve_url("https://ca.example/", "//\x01"));
}

http::Response with_links(std::vector<std::string> values) {
  http::Response response;
  for (auto& value : values) response.headers.emplace_back("link", std::move(value));
  return response;
}

TEST(Links, FindsARelationInSeveralHeadersAndInLists) {
  const auto response =
      with_links({"<https://ca/dir>;rel=\"index\"", "<https://ca/1>; rel=\"alternate\"",
                  "<https://ca/2,x>; title=\"a, b; rel=next\"; rel=alternate , "
                  "<https://ca/3>; REL=\"up Alternate\""});
  EXPECT_EQ(links(response, "alternate"),
            (std::vector<std::string>{"https://ca/1", "https://ca/2,x", "https://ca/3"}));
  EXPECT_TRUE(links(response, "next").empty());
}

TEST(Links, ReadsNothingOutOfRubbish) {
  const auto response = with_links({"", "<", "<https://ca", "rel=next", "<a>;rel", "<a>;rel=\"",
                                    ",,;;,", "<a>;x=\"\\", "<a>; notrel=next"});
  EXPECT_TRUE(links(response, "next").empty());
}

}  // namespace
}  // namespace certherd::acme
