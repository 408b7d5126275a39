// What outlives a process, and what several of them do to one store.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>
#include <thread>

#include "runtime/task_group.hpp"
#include "store/store_testing.hpp"

namespace certherd::store {
namespace {

using testing::IsSubsetOf;

Options file(const std::filesystem::path& path, bool create = false) {
  return {.url = "sqlite:" + path.string(), .create = create};
}

/// Writes events one after another, and reports each once the call has returned.
[[noreturn]] void write_and_report(const std::filesystem::path& path, int report) {
  Opened store(file(path));
  for (int number = 0; store.ok(); ++number) {
    if (!store.run(store->append({some_event(std::to_string(number))}))) break;
    if (::write(report, &number, sizeof number) != sizeof number) break;
  }
  ::_exit(1);
}

TEST(Durability, WhatWasReportedOutlivesAKill) {
  constexpr int enough = 25;
  TempFolder folder;
  const auto path = folder / "state.db";
  {
    ASSERT_TRUE(Opened(file(path, true)).ok());
  }
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) write_and_report(path, ends[1]);
  ::close(ends[1]);

  std::set<std::string> reported;
  int number = 0;
  while (::read(ends[0], &number, sizeof number) == sizeof number) {
    reported.insert(std::to_string(number));
    if (reported.size() == enough) ::kill(child, SIGKILL);
  }
  ::close(ends[0]);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));

  Opened store(file(path));
  ASSERT_TRUE(store.ok()) << store.error().message();
  std::set<std::string> found;
  const auto events = store.run(store->events({}));
  ASSERT_TRUE(events);
  for (const auto& each : *events) found.insert(each.event.event);
  EXPECT_GE(reported.size(), static_cast<std::size_t>(enough));
  EXPECT_THAT(reported, IsSubsetOf(found));
}

/// Goes on with the only issuance until `goal` commits were its own; gives what it counted.
void commit_often(const std::filesystem::path& path, int goal, int* errors) {
  Opened store(file(path));
  for (int won = 0; store.ok() && won < goal;) {
    auto active = store.run(store->active_issuances());
    auto result = active ? store.run(store->commit(active->front(), {}))
                         : Result<Issuance>(fail(std::move(active.error())));
    if (result) {
      ++won;
    } else if (result.error().kind != Error::Kind::conflict) {
      ++*errors;
      return;
    }
  }
}

TEST(SeveralStores, LoseNoCommit) {
  constexpr int goal = 50;
  TempFolder folder;
  const auto path = folder / "state.db";
  Opened store(file(path, true));
  ASSERT_TRUE(store.run(store->add_domains({some_domain("a.example")}, {})));
  Issuance issuance;
  issuance.domain_id = store.run(store->domains())->front().domain.id;
  ASSERT_TRUE(store.run(store->start(issuance, {})));

  int errors[2] = {};
  std::thread one(commit_often, path, goal, &errors[0]);
  std::thread two(commit_often, path, goal, &errors[1]);
  one.join();
  two.join();

  EXPECT_EQ(errors[0] + errors[1], 0);
  EXPECT_EQ(store.run(store->active_issuances())->front().revision, 1 + 2 * goal);
}

TEST(SeveralStores, OnlyOneGetsTheLease) {
  TempFolder folder;
  const auto path = folder / "state.db";
  Opened one(file(path, true));
  Opened two(file(path));
  const auto ttl = std::chrono::minutes(1);
  EXPECT_EQ(one.run(one->acquire_lease("one", ttl, nullptr))->owner, "one");
  EXPECT_EQ(two.run(two->acquire_lease("two", ttl, nullptr))->owner, "one");
}

/// The store as the program runs it: SQL on threads of its own.
class ThreadedStore : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = Store::open(file(folder / "state.db", true), *writer, *reader, loop->clock());
    ASSERT_TRUE(opened) << opened.error().message();
    store = std::move(*opened);
  }

  Task<void> append(int number) {
    auto written = co_await store->append({some_event(std::to_string(number))});
    if (!written) ++failures;
    auto events = co_await store->events({});
    // Readers see at once what a call has written.
    const auto is_ours = [number](const NumberedEvent& each) {
      return each.event.event == std::to_string(number);
    };
    if (!events || std::ranges::none_of(*events, is_ours)) ++failures;
  }

  Task<void> append_all(int count) {
    runtime::TaskGroup group(*loop);
    for (int number = 0; number < count; ++number) group.spawn(append(number));
    co_await group.join();
  }

  Task<void> append_and_cancel(int count) {
    runtime::TaskGroup group(*loop);
    for (int number = 0; number < count; ++number) group.spawn(append(number));
    group.cancel();
    co_await group.join();
  }

  TempFolder folder;
  std::unique_ptr<runtime::EventLoop> loop = runtime::make_event_loop();
  std::unique_ptr<runtime::Offload> writer = runtime::make_thread_offload(*loop, 1);
  std::unique_ptr<runtime::Offload> reader = runtime::make_thread_offload(*loop, 3);
  std::unique_ptr<Store> store;
  int failures = 0;
};

TEST_F(ThreadedStore, ServesManyCallersAtOnce) {
  loop->run(append_all(200));
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(loop->run(store->events({}))->size(), 200U);
}

TEST_F(ThreadedStore, GoesOnAfterItsCallersWereCancelled) {
  loop->run(append_and_cancel(50));
  loop->run(append_all(10));
  EXPECT_EQ(loop->run(store->domains())->size(), 0U);
}

}  // namespace
}  // namespace certherd::store
