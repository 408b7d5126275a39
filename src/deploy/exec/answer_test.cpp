#include "deploy/exec/answer.hpp"

#include <gtest/gtest.h>

namespace certherd::deploy {
namespace {

TEST(AnswerTest, ExitStatusesMeanWhatSysexitsSays) {
  using enum Error::Kind;
  EXPECT_EQ(kind_of_exit(65), rejected);
  EXPECT_EQ(kind_of_exit(73), conflict);
  EXPECT_EQ(kind_of_exit(75), transient);
  EXPECT_EQ(kind_of_exit(77), denied);
  EXPECT_EQ(kind_of_exit(78), misconfigured);
  for (const int other : {1, 2, 64, 127, 128 + 9}) EXPECT_EQ(kind_of_exit(other), misconfigured);
}

TEST(AnswerTest, SerialsAreReadAsProgramsWriteThem) {
  EXPECT_EQ(read_serial("03ab\n"), "03ab");
  EXPECT_EQ(read_serial("serial=03AB\n"), "03ab");
  EXPECT_EQ(read_serial(" 03:AB:0f \r\n"), "03ab0f");
  EXPECT_EQ(read_serial("3ab"), "03ab");
  // With the octet that DER needs before a high bit, as some programs print it.
  EXPECT_EQ(read_serial("00:9F:AB"), "9fab");
}

TEST(AnswerTest, NothingButBlanksIsNothing) {
  EXPECT_EQ(read_serial(""), "");
  EXPECT_EQ(read_serial(" \n\n"), "");
}

TEST(AnswerTest, WhatIsNoSerialIsShown) {
  for (const auto* text : {"no certificate", "03ab\n04cd", "-", ":",
                           "serial=:", "0123456789abcdef0123456789abcdef0123456789"}) {
    const auto serial = read_serial(text);
    ASSERT_FALSE(serial) << text;
    EXPECT_EQ(serial.error().kind, Error::Kind::misconfigured);
  }
  EXPECT_NE(read_serial("no certificate").error().message().find("no certificate"),
            std::string::npos);
}

}  // namespace
}  // namespace certherd::deploy
