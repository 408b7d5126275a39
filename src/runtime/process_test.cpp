#include "runtime/process.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "runtime/task_group.hpp"
#include "runtime/timeouts.hpp"

namespace certherd::runtime {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

Command shell(std::string script) {
  Command command;
  command.arguments = {"sh", "-c", std::move(script)};
  return command;
}

class ProcessTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "processXXXXXX";
    folder = mkdtemp(name.data());
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  Result<CommandResult> run(Command command, Duration limit = minutes(1)) {
    return loop->run(run_command(loop.get(), std::move(command), clock.now() + limit));
  }

  std::string read(const std::string& name) const {
    std::ifstream file(folder / name);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }

  std::unique_ptr<EventLoop> loop = make_event_loop();
  Clock& clock = loop->clock();
  std::filesystem::path folder;
};

bool alive(pid_t pid) { return kill(pid, 0) == 0; }

/// Waits for what another process does; gives up after ten seconds.
Task<bool> comes_true(Clock* clock, std::function<bool()> condition) {
  for (int i = 0; i < 1000 && !condition(); ++i) co_await clock->sleep_for(milliseconds(10));
  co_return condition();
}

TEST_F(ProcessTest, GivesExitStatusAndBothOutputs) {
  const auto result = run(shell("echo out; echo err >&2; exit 3"));

  ASSERT_TRUE(result);
  EXPECT_EQ(result->exit_status, 3);
  EXPECT_EQ(result->output, "out\nerr\n");
}

TEST_F(ProcessTest, GivesStandardErrorByItselfWhereThatIsWanted) {
  Command command = shell("echo out; echo err >&2");
  command.errors_apart = true;

  const auto result = run(std::move(command));

  EXPECT_EQ(result->output, "out\n");
  EXPECT_EQ(result->errors, "err\n");
}

TEST_F(ProcessTest, TellsTheSignalThatEndedIt) {
  EXPECT_EQ(run(shell("kill -TERM $$"))->exit_status, 128 + SIGTERM);
}

TEST_F(ProcessTest, KeepsTheEndOfALongOutput) {
  const auto result = run(shell("i=0; while [ $i -lt 30000 ]; do echo line $i; i=$((i+1)); done"));

  EXPECT_EQ(result->output.size(), 64U << 10U);
  EXPECT_TRUE(result->output.ends_with("line 29999\n"));
}

TEST_F(ProcessTest, AddsToTheEnvironmentAndReplacesInIt) {
  setenv("CERTHERD_KEPT", "kept", 1);
  setenv("CERTHERD_REPLACED", "old", 1);
  Command command = shell("echo $CERTHERD_KEPT $CERTHERD_REPLACED $CERTHERD_ADDED");
  command.environment = {{"CERTHERD_REPLACED", "new"}, {"CERTHERD_ADDED", "a b"}};

  EXPECT_EQ(run(std::move(command))->output, "kept new a b\n");
}

TEST_F(ProcessTest, KeepsBackWhatIsNotForIt) {
  setenv("CERTHERD_KEPT", "kept", 1);
  setenv("CERTHERD_SECRET", "secret", 1);
  Command command = shell("echo $CERTHERD_KEPT $CERTHERD_SECRET");
  command.withheld = {"CERTHERD_SECRET"};

  EXPECT_EQ(run(std::move(command))->output, "kept\n");
}

TEST_F(ProcessTest, GivesItNoInputAndNoDescriptorOfOurs) {
  const auto result = run(shell("cat; ls /proc/self/fd | wc -l"));

  EXPECT_EQ(result->output, "4\n");  // 0, 1, 2 and the listing's own
}

TEST_F(ProcessTest, AppendsToTheLogFile) {
  for (const char* word : {"one", "two"}) {
    Command command = shell(std::string("echo ") + word + "; echo err >&2");
    command.log_file = folder / "log";
    const auto result = run(std::move(command));
    EXPECT_EQ(result->output, "");
    EXPECT_EQ(result->exit_status, 0);
  }
  EXPECT_EQ(read("log"), "one\nerr\ntwo\nerr\n");
}

TEST_F(ProcessTest, NamesAProgramThatIsNotThere) {
  Command command;
  command.arguments = {"no-such-program-anywhere"};
  const auto result = run(std::move(command));

  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, Error::Kind::misconfigured);
  EXPECT_EQ(result.error().message(), "start no-such-program-anywhere: there is no such program");
}

TEST_F(ProcessTest, RefusesAnEmptyCommandAndAFileThatIsNoProgram) {
  Command file;
  file.arguments = {"/etc/passwd"};

  EXPECT_EQ(run(Command{}).error().kind, Error::Kind::misconfigured);
  EXPECT_EQ(run(std::move(file)).error().kind, Error::Kind::misconfigured);
}

TEST_F(ProcessTest, NamesALogFileThatCannotBeWritten) {
  Command command = shell("true");
  command.log_file = folder / "missing" / "log";

  EXPECT_EQ(run(std::move(command)).error().kind, Error::Kind::misconfigured);
}

TEST_F(ProcessTest, KillsTheWholeGroupAtTheDeadline) {
  const auto pid_file = (folder / "pid").string();
  const auto result = run(shell("sleep 600 & echo $! > " + pid_file + "; wait"), milliseconds(500));

  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, Error::Kind::deadline);
  const pid_t inner = std::stoi(read("pid"));
  EXPECT_TRUE(loop->run(comes_true(&clock, [inner] { return !alive(inner); })));
}

TEST_F(ProcessTest, DoesNotWaitForWhatTheCommandLeftRunning) {
  const auto begin = clock.now();
  const auto result = run(shell("sleep 600 & echo $!"));

  ASSERT_TRUE(result);
  EXPECT_LT(clock.now() - begin, seconds(30));
  const pid_t left = std::stoi(result->output);
  EXPECT_TRUE(alive(left));
  kill(left, SIGKILL);
}

Task<void> run_and_note(EventLoop* loop, Command command, bool* returned) {
  co_await run_command(loop, std::move(command), Time::max());
  *returned = true;
}

Task<void> cancel_when(TaskGroup* group, Clock* clock, std::function<bool()> condition) {
  EXPECT_TRUE(co_await comes_true(clock, condition));
  group->cancel();
  co_await group->join();
}

TEST_F(ProcessTest, CancellationKillsTheCommandAndLeavesNoZombie) {
  TaskGroup group(*loop);
  bool returned = false;
  const auto pid_file = (folder / "pid").string();
  group.spawn(run_and_note(loop.get(), shell("echo $$ > " + pid_file + "; sleep 600"), &returned));

  loop->run(cancel_when(&group, &clock, [this] { return read("pid").ends_with('\n'); }));

  EXPECT_FALSE(returned);
  EXPECT_FALSE(alive(std::stoi(read("pid"))));
}

TEST_F(ProcessTest, RunsManyCommandsAtOnce) {
  TaskGroup group(*loop);
  std::array<bool, 20> returned{};
  for (auto& one : returned) group.spawn(run_and_note(loop.get(), shell("exit 0"), &one));

  loop->run(group.join());

  EXPECT_EQ(std::count(returned.begin(), returned.end(), true), 20);
}

class ChildTest : public ProcessTest {};

TEST_F(ChildTest, RunsBesideUsUntilItIsStopped) {
  auto child = Child::start(*loop, shell("sleep 600"));
  ASSERT_TRUE(child);
  EXPECT_TRUE(alive((*child)->pid()));
  EXPECT_EQ((*child)->exit_status(), std::nullopt);

  loop->run((*child)->stop(seconds(30)));

  EXPECT_EQ((*child)->exit_status(), 128 + SIGTERM);
  loop->run((*child)->stop(seconds(30)));  // harmless
}

TEST_F(ChildTest, TellsTheExitStatusOfOneThatEndedByItself) {
  auto child = Child::start(*loop, shell("exit 7"));
  ASSERT_TRUE(child);

  EXPECT_TRUE(
      loop->run(comes_true(&clock, [&child] { return (*child)->exit_status().has_value(); })));
  EXPECT_EQ((*child)->exit_status(), 7);
}

TEST_F(ChildTest, KillsOneThatIgnoresSigterm) {
  const auto ready = folder / "ready";
  auto child = Child::start(
      *loop, shell("trap '' TERM; touch " + ready.string() + "; while :; do sleep 1; done"));
  ASSERT_TRUE(child);
  ASSERT_TRUE(loop->run(comes_true(&clock, [ready] { return std::filesystem::exists(ready); })));

  loop->run((*child)->stop(milliseconds(100)));

  EXPECT_EQ((*child)->exit_status(), 128 + SIGKILL);
}

TEST_F(ChildTest, ItsEndTakesTheWholeGroupAlong) {
  const auto pid_file = (folder / "pid").string();
  auto child = Child::start(*loop, shell("sleep 600 & echo $! > " + pid_file + "; wait"));
  ASSERT_TRUE(child);
  ASSERT_TRUE(loop->run(comes_true(&clock, [this] { return read("pid").ends_with('\n'); })));

  child->reset();

  const pid_t inner = std::stoi(read("pid"));
  EXPECT_TRUE(loop->run(comes_true(&clock, [inner] { return !alive(inner); })));
}

TEST_F(ChildTest, DiesWithUsWhenWeAreKilled) {
  const auto pid_file = folder / "pid";
  const pid_t parent = fork();
  if (parent == 0) {
    auto own = make_event_loop();
    auto child = Child::start(*own, shell("echo $$ > " + pid_file.string() + "; exec sleep 600"));
    pause();
    _exit(child ? 0 : 1);
  }
  ASSERT_TRUE(loop->run(comes_true(&clock, [this] { return read("pid").ends_with('\n'); })));

  kill(parent, SIGKILL);
  waitpid(parent, nullptr, 0);

  const pid_t inner = std::stoi(read("pid"));
  EXPECT_TRUE(loop->run(comes_true(&clock, [inner] { return !alive(inner); })));
}

}  // namespace
}  // namespace certherd::runtime
