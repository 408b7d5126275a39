#include "base/log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>

namespace certherd {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::internal::CaptureStderr;
using testing::internal::GetCapturedStderr;

/// As model/fqdn.hpp has it.
struct Name {
  static constexpr bool names_a_domain = true;
  const std::string& text() const { return value; }
  std::string value;
};

class Log : public testing::Test {
 protected:
  void TearDown() override {
    log::set_level(log::Level::info);
    log::set_format(log::Format::text);
    log::set_progress_guard(nullptr, nullptr);
  }
};

TEST_F(Log, WritesTimeLevelAndText) {
  CaptureStderr();
  log::warning("zone {} is slow", "example.com");
  const std::string line = GetCapturedStderr();

  ASSERT_GT(line.size(), 21U);
  EXPECT_EQ(line.substr(20), " warning zone example.com is slow\n");
  EXPECT_EQ(line[10], 'T');
  EXPECT_EQ(line[19], 'Z');
}

TEST_F(Log, DropsWhatIsBelowTheLevel) {
  CaptureStderr();
  log::debug("hidden");
  log::set_level(log::Level::error);
  log::warning("hidden");
  log::write(log::Level::info, "hidden");
  log::error("shown");
  const std::string text = GetCapturedStderr();

  EXPECT_THAT(text, EndsWith(" error shown\n"));
  EXPECT_THAT(text, testing::Not(HasSubstr("hidden")));
}

TEST_F(Log, WritesDebugLinesWhenAskedTo) {
  log::set_level(log::Level::debug);
  CaptureStderr();
  log::debug("detail");
  EXPECT_THAT(GetCapturedStderr(), EndsWith(" debug detail\n"));
}

TEST_F(Log, OutsideTextCannotForgeALineOrDriveTheTerminal) {
  CaptureStderr();
  log::info("{}", "a\nb\r\tc\x1b[2J\x7f\xc2\x9b{}");
  EXPECT_THAT(GetCapturedStderr(), EndsWith(" info a\\nb\\r\\tc\\x1b[2J\\x7f\\u009b{}\n"));
}

TEST_F(Log, KeepsUnicodeText) {
  CaptureStderr();
  log::info("bücher – ok");
  EXPECT_THAT(GetCapturedStderr(), EndsWith(" info bücher – ok\n"));
}

TEST_F(Log, WritesJsonWithTheDomainThatALineBeginsWith) {
  log::set_format(log::Format::json);
  CaptureStderr();
  log::write(log::Level::warning, "a.example: it \"fails\"", "a.example");
  const auto line = GetCapturedStderr();
  EXPECT_TRUE(line.starts_with(R"({"at":"2)")) << line;
  EXPECT_EQ(line.substr(28), R"(,"level":"warning","message":"a.example: it \"fails\"",)"
                             R"("domain":"a.example"})"
                             "\n");
  EXPECT_EQ(log::domain_of("{}: {}", Name{"a.example"}, 1), "a.example");
  EXPECT_EQ(log::domain_of("of {}: {}", Name{"a.example"}, 1), "");
  EXPECT_EQ(log::domain_of("{}: {}", std::string("a.example"), 1), "");
  EXPECT_EQ(log::domain_of("nothing"), "");
}

TEST_F(Log, AJsonLineStaysOneAndStaysUtf8) {
  log::set_format(log::Format::json);
  CaptureStderr();
  log::info("{}", "a\nb\t\\ \x1b[2J\x7f\xc2\x9b – \xfc\xe2\x82");
  EXPECT_THAT(GetCapturedStderr(),
              EndsWith(R"("message":"a\u000ab\u0009\\ \u001b[2J\u007f\u009b – \ufffd\ufffd\ufffd"})"
                       "\n"));
}

TEST_F(Log, CallsTheProgressGuardAroundEachLine) {
  log::set_progress_guard([] { std::fputs("<", stderr); }, [] { std::fputs(">", stderr); });
  CaptureStderr();
  log::info("x");
  const std::string text = GetCapturedStderr();

  EXPECT_TRUE(text.starts_with("<"));
  EXPECT_TRUE(text.ends_with(" info x\n>"));
}

}  // namespace
}  // namespace certherd
