#include "runtime/find_program.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

namespace certherd::runtime {
namespace {

TEST(FindProgramTest, LooksUpNamesInPath) {
  const auto found = find_program("sh");
  ASSERT_TRUE(found) << found.error().message();
  EXPECT_TRUE(found->is_absolute());
  EXPECT_EQ(found->filename(), "sh");
}

TEST(FindProgramTest, TakesPathsAsTheyAre) {
  EXPECT_EQ(*find_program("/bin/sh"), "/bin/sh");
  EXPECT_FALSE(find_program("/no/such/folder/sh"));
  EXPECT_FALSE(find_program("/bin"));
}

TEST(FindProgramTest, TellsWhatDoesNotExistFromWhatIsNotExecutable) {
  const auto none = find_program("certherd-no-such-program");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind, Error::Kind::misconfigured);

  std::string folder = testing::TempDir() + "findXXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const auto script = folder + "/script";
  std::ofstream(script) << "#!/bin/sh\n";
  const auto plain = find_program(script);
  ASSERT_FALSE(plain);
  EXPECT_NE(plain.error().message().find("chmod"), std::string::npos) << plain.error().message();
  ASSERT_EQ(::chmod(script.c_str(), 0700), 0);
  EXPECT_TRUE(find_program(script));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace certherd::runtime
