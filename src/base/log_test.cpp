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

class Log : public testing::Test {
 protected:
  void TearDown() override {
    log::set_level(log::Level::info);
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
