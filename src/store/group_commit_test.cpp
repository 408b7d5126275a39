#include "store/group_commit.hpp"

#include <soci/sqlite3/soci-sqlite3.h>

#include "runtime/task_group.hpp"
#include "runtime/virtual_loop.hpp"
#include "store/store_testing.hpp"

namespace certherd::store {
namespace {

using testing::HasSubstr;

/// Begins its work a moment later, one piece after another: what arrives within one moment is
/// queued together.
class DelayedOffload final : public runtime::Offload {
 public:
  explicit DelayedOffload(runtime::Clock& clock) : clock_(clock) {}

  Task<void> run(std::function<void()> work) override {
    co_await clock_.sleep_for(std::chrono::milliseconds(1));
    work();
  }

 private:
  runtime::Clock& clock_;
};

class GroupCommitTest : public testing::Test {
 protected:
  void SetUp() override {
    sessions->write([this](Session& sql) {
      sql << "CREATE TABLE note (text TEXT PRIMARY KEY)";
      auto* backend = static_cast<soci::sqlite3_session_backend*>(sql.get_backend());
      sqlite_api::sqlite3_commit_hook(backend->conn_, &GroupCommitTest::on_commit, this);
    });
  }

  // What the hook returns turns a commit into a rollback unless it is 0.
  static int on_commit(void* self) {
    auto* test = static_cast<GroupCommitTest*>(self);
    ++test->commits;
    return test->refuse_commits ? 1 : 0;
  }

  static GroupCommit::Work insert(std::string text) {
    return [text = std::move(text)](Session& sql) -> Status {
      sql << "INSERT INTO note (text) VALUES (:text)", soci::use(text);
      return {};
    };
  }

  Task<void> write_into(Status* result, GroupCommit::Work work) {
    *result = co_await commits_.write("note", std::move(work));
  }

  Task<void> write_all(std::vector<GroupCommit::Work> works, std::vector<Status>* results) {
    results->resize(works.size());
    runtime::TaskGroup group(*loop);
    for (std::size_t i = 0; i < works.size(); ++i) {
      group.spawn(write_into(&(*results)[i], std::move(works[i])));
    }
    co_await group.join();
  }

  std::vector<Status> run_all(std::vector<GroupCommit::Work> works) {
    std::vector<Status> results;
    loop->run(write_all(std::move(works), &results));
    return results;
  }

  Task<void> cancelled_write() {
    runtime::TaskGroup group(*loop);
    Status ignored;
    group.spawn(write_into(&ignored, insert("cancelled")));
    co_await loop->clock().sleep_for(std::chrono::microseconds(100));
    group.cancel();
    co_await group.join();
  }

  int notes() {
    int count = 0;
    sessions->read(
        [&count](Session& sql) { sql << "SELECT COUNT(*) FROM note", soci::into(count); });
    return count;
  }

  TempFolder folder;
  std::unique_ptr<runtime::EventLoop> loop = runtime::make_virtual_loop(test_start);
  DelayedOffload offload{loop->clock()};
  std::shared_ptr<Sessions> sessions =
      std::make_shared<Sessions>(make_sqlite(folder / "notes.db", std::chrono::milliseconds(50)));
  GroupCommit commits_{sessions, offload};
  int commits = 0;
  bool refuse_commits = false;
};

TEST_F(GroupCommitTest, CommitsAllThatIsQueuedInOneTransaction) {
  std::vector<GroupCommit::Work> works;
  for (int i = 0; i < 20; ++i) works.push_back(insert(std::to_string(i)));

  const auto results = run_all(std::move(works));

  for (const auto& result : results) EXPECT_TRUE(result);
  EXPECT_EQ(commits, 1);
  EXPECT_EQ(notes(), 20);
}

TEST_F(GroupCommitTest, TellsWhenOthersCanReadWhatWasWrittenOrMayBeAbleTo) {
  std::vector<int> seen;
  const auto look = [this, &seen] { seen.push_back(notes()); };
  EXPECT_TRUE(loop->run(commits_.write("note", insert("a"), look)));
  refuse_commits = true;
  EXPECT_FALSE(loop->run(commits_.write("note", insert("b"), look)));
  EXPECT_THAT(seen, testing::ElementsAre(1, 1));
}

TEST_F(GroupCommitTest, OneThatFailsTakesBackOnlyItsOwn) {
  const GroupCommit::Work conflicting = [](Session& sql) -> Status {
    sql << "INSERT INTO note (text) VALUES ('half')";
    return fail(Error::Kind::conflict, "", "no");
  };
  const GroupCommit::Work throwing = [](Session& sql) -> Status {
    sql << "INSERT INTO note (text) VALUES ('other half')";
    sql << "INSERT INTO note (text) VALUES ('other half')";
    return {};
  };

  const auto results = run_all({insert("a"), conflicting, throwing, insert("b")});

  EXPECT_TRUE(results[0]);
  ASSERT_FALSE(results[1]);
  EXPECT_EQ(results[1].error().kind, Error::Kind::conflict);
  EXPECT_EQ(results[1].error().message(), "note: no");
  ASSERT_FALSE(results[2]);
  EXPECT_EQ(results[2].error().kind, Error::Kind::conflict);
  EXPECT_TRUE(results[3]);
  EXPECT_EQ(commits, 1);
  EXPECT_EQ(notes(), 2);
}

TEST_F(GroupCommitTest, AFailedCommitFailsAllOfThem) {
  refuse_commits = true;
  const auto results = run_all({insert("a"), insert("b")});
  EXPECT_FALSE(results[0]);
  EXPECT_FALSE(results[1]);
  EXPECT_EQ(notes(), 0);

  refuse_commits = false;
  EXPECT_TRUE(run_all({insert("a")})[0]);
  EXPECT_EQ(notes(), 1);
}

TEST_F(GroupCommitTest, ATransactionThatTheDatabaseTookBackFailsAllOfThem) {
  const GroupCommit::Work losing = [](Session& sql) -> Status {
    sql << "ROLLBACK";  // as SQLite does by itself when a disk fails
    throw soci::sqlite3_soci_error("disk", SQLITE_FULL);
  };

  const auto results = run_all({insert("a"), losing, insert("b")});

  for (const auto& result : results) {
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().message(), HasSubstr("disk is full"));
  }
  EXPECT_EQ(notes(), 0);
  EXPECT_TRUE(run_all({insert("c")})[0]);
}

TEST_F(GroupCommitTest, SaysThatTheDiskIsFull) {
  sessions->write([](Session& sql) { sql << "PRAGMA max_page_count = 4"; });

  const auto results = run_all({insert(std::string(100'000, 'x'))});

  ASSERT_FALSE(results[0]);
  EXPECT_EQ(results[0].error().kind, Error::Kind::transient);
  EXPECT_THAT(results[0].error().message(), HasSubstr("disk is full: free space"));
}

TEST_F(GroupCommitTest, SaysWhenAnotherProcessHoldsTheLock) {
  Session other(soci::sqlite3, "dbname=\"" + (folder / "notes.db").string() + "\"");
  other << "BEGIN IMMEDIATE";

  const auto blocked = run_all({insert("a")});
  other << "ROLLBACK";

  ASSERT_FALSE(blocked[0]);
  EXPECT_EQ(blocked[0].error().kind, Error::Kind::transient);
  EXPECT_THAT(blocked[0].error().message(), HasSubstr("another process held its lock"));
  EXPECT_TRUE(run_all({insert("a")})[0]);
}

TEST_F(GroupCommitTest, ADefectReachesItsCallerAndHarmsNobodyElse) {
  const GroupCommit::Work defect = [](Session&) -> Status { throw std::logic_error("a defect"); };
  EXPECT_THROW(run_all({insert("a"), defect, insert("b")}), std::logic_error);
  EXPECT_EQ(notes(), 2);
}

TEST_F(GroupCommitTest, ACallerCancelledBeforeItsWorkBeganHasWrittenNothing) {
  loop->run(cancelled_write());
  EXPECT_TRUE(run_all({insert("next")})[0]);
  EXPECT_EQ(notes(), 1);
}

}  // namespace
}  // namespace certherd::store
