#include "model/serial.hpp"

#include <gtest/gtest.h>

namespace certherd {
namespace {

TEST(ParseSerial, TakesTheSpellingsOfOtherPrograms) {
  for (const auto* text : {"0abc01", "ABC01", "0A:BC:01", "0x0abc01", "000ABC01"}) {
    EXPECT_EQ(parse_serial(text), Serial("0abc01")) << text;
  }
  EXPECT_EQ(parse_serial("00"), Serial("00"));
  EXPECT_EQ(parse_serial(std::string(40, 'f')), Serial(std::string(40, 'f')));
  EXPECT_EQ(parse_serial("00" + std::string(40, 'f')), Serial(std::string(40, 'f')));
}

TEST(ParseSerial, RefusesWhatIsNone) {
  for (const auto* text : {"", "0x", ":", ":0a", "0a:", "0a::bc", "0a bc", "-0a", "0g", "serial"}) {
    EXPECT_EQ(parse_serial(text), std::nullopt) << text;
  }
  EXPECT_EQ(parse_serial(std::string(41, 'f')), std::nullopt);
}

}  // namespace
}  // namespace certherd
