#include "deploy/files/section.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace certherd::deploy {
namespace {

using testing::HasSubstr;

/// The faults of a section of the type `files`; empty when there are none.
std::string faults_of(const std::string& text) {
  auto document = config::Document::parse("certherd.toml", "[t]\npath = \"certs\"\n" + text);
  auto section = document->root().section("t");
  read_files(section, "/etc/certherd");
  return document->faults().empty() ? "" : std::move(document->faults()).error().message();
}

TEST(FilesSectionTest, ABundleIsChosenByServerOrAsBefore) {
  for (const auto* value : {"true", "false", "\"nginx\"", "\"haproxy\"", "\"apache\"",
                            "\"lighttpd\"", "[]", "[\"nginx\", \"lighttpd\"]"}) {
    EXPECT_EQ(faults_of(std::string("bundle = ") + value), "") << value;
  }
}

TEST(FilesSectionTest, AnUnknownServerIsToldWithThoseThatAreKnown) {
  for (const auto* value : {"\"iis\"", "[\"nginx\", \"iis\"]"}) {
    const auto told = faults_of(std::string("bundle = ") + value);
    EXPECT_THAT(told, HasSubstr("certherd.toml:3: t.bundle")) << value;
    EXPECT_THAT(told, HasSubstr("\"iis\" is no server")) << value;
    EXPECT_THAT(told, HasSubstr("nginx, haproxy, apache, lighttpd")) << value;
  }
  EXPECT_THAT(faults_of("bundle = 1"), HasSubstr("t.bundle"));
}

}  // namespace
}  // namespace certherd::deploy
