#include "app/process_identity.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <string>

namespace certherd::app {
namespace {

TEST(ProcessIdentity, IsStableAndAliveForOurselves) {
  EXPECT_EQ(process_identity(), process_identity());
  EXPECT_FALSE(is_dead(process_identity()));
}

TEST(ProcessIdentity, TellsAnEndedProcess) {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  waitpid(child, nullptr, 0);
  auto identity = process_identity();
  const auto own = "/" + std::to_string(getpid()) + "/";
  identity.replace(identity.find(own), own.size(), "/" + std::to_string(child) + "/");
  EXPECT_TRUE(is_dead(identity));
}

TEST(ProcessIdentity, AnEndedProcessIsDeadBeforeItsParentHasLooked) {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  siginfo_t ended{};
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOWAIT), 0);

  std::ifstream file("/proc/" + std::to_string(child) + "/stat");
  std::string word;
  for (int field = 1; field <= 22; ++field) file >> word;  // the start time, proc(5)
  auto identity = process_identity();
  identity.erase(identity.find("/" + std::to_string(getpid()) + "/"));
  EXPECT_TRUE(is_dead(identity + "/" + std::to_string(child) + "/" + word));
  waitpid(child, nullptr, 0);
}

TEST(ProcessIdentity, AReusedProcessIdIsAnotherProcess) {
  auto identity = process_identity();
  identity.back() = identity.back() == '0' ? '1' : '0';
  EXPECT_TRUE(is_dead(identity));
}

TEST(ProcessIdentity, DoesNotJudgeOtherMachines) {
  EXPECT_FALSE(is_dead("another-boot/pid:[1]/1/2"));
  EXPECT_FALSE(is_dead("nonsense"));
}

TEST(ProcessIdentity, IsDescribedByItsProcessId) {
  EXPECT_EQ(describe_process(process_identity()), "process " + std::to_string(getpid()));
}

}  // namespace
}  // namespace certherd::app
