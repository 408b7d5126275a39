#include <fmt/format.h>
#include <gmock/gmock.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <filesystem>

#include "end_to_end.hpp"

namespace certherd::e2e {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;

constexpr int some_failed = 1;
constexpr int wrong_usage = 2;

/// A store that is not as it should be: what the program says, and that it leaves it alone.
class BadStore : public EndToEnd {
 protected:
  void SetUp() override {
    ASSERT_EQ(run({"init"}).status, 0);
    ASSERT_EQ(run({"domain", "add", "www.example.com"}).status, 0);
  }

  fs::path store() const { return path("state.db"); }

  soci::session open_store() const {
    return {soci::sqlite3, fmt::format("dbname=\"{}\"", store().string())};
  }

  void expect_refused(const std::vector<std::string>& words, int status = wrong_usage) {
    for (const auto& command :
         {std::vector<std::string>{"domain", "list"}, std::vector<std::string>{"run", "--once"},
          std::vector<std::string>{"domain", "add", "a.example.com"}}) {
      const auto ended = run(command);
      std::cout << ended.err;
      EXPECT_EQ(ended.status, status) << command.front() << ended.err << ended.out;
      EXPECT_THAT(ended.err, HasSubstr(store().string()));
      for (const auto& word : words) EXPECT_THAT(ended.err, HasSubstr(word));
    }
  }
};

TEST_F(BadStore, OfANewerProgramIsRefusedByTheVersionThatIsNeeded) {
  {
    auto sql = open_store();
    sql << "INSERT INTO schema_version (number, program, applied_at) VALUES (999, '99.0', 0)";
  }
  const auto before = content_of(store());
  expect_refused({"version 999", "use certherd 99.0 or newer"});
  EXPECT_EQ(content_of(store()), before);
}

TEST_F(BadStore, OfAnotherProgramIsRefusedAndLeftAsItIs) {
  fs::remove(store());
  {
    auto sql = open_store();
    sql << "CREATE TABLE recipes (name TEXT)";
  }
  fs::permissions(store(), fs::perms::owner_read | fs::perms::owner_write);
  const auto before = content_of(store());
  expect_refused({"another program's database", "recipes", "[store]"});
  EXPECT_EQ(content_of(store()), before);
}

TEST_F(BadStore, ThatIsNoDatabaseIsRefused) {
  write_file(store(), "# just a text\n");
  fs::remove(path("state.db-wal"));
  expect_refused({"not a database", "[store]"});
  EXPECT_EQ(content_of(store()), "# just a text\n");
}

TEST_F(BadStore, ThatIsDamagedAsksForTheBackup) {
  {
    auto sql = open_store();
    sql << "PRAGMA wal_checkpoint(TRUNCATE)";
  }
  auto bytes = content_of(store());
  // The first page stays: it would be no database at all without.
  for (std::size_t i = 4096; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7);
  write_file(store(), bytes);
  for (const auto& command :
       {std::vector<std::string>{"domain", "list"}, std::vector<std::string>{"run", "--once"}}) {
    const auto ended = run(command);
    std::cout << ended.err;
    EXPECT_NE(ended.status, 0);
    EXPECT_THAT(ended.err,
                AllOf(HasSubstr(store().string()), HasSubstr("damaged"), HasSubstr("backup")));
  }
}

TEST_F(BadStore, ThatSomebodyHoldsIsWaitedForAndThenTold) {
  {
    auto sql = open_store();
    sql << "BEGIN IMMEDIATE";
    const auto ended = run({"domain", "add", "a.example.com"});
    std::cout << ended.err;
    EXPECT_EQ(ended.status, some_failed);
    EXPECT_THAT(ended.err,
                AllOf(HasSubstr(store().string()), HasSubstr("another process"), HasSubstr("10s")));
    EXPECT_EQ(run({"domain", "list"}).status, 0) << "readers need no lock";
    sql << "ROLLBACK";
  }
  EXPECT_EQ(run({"domain", "add", "a.example.com"}).status, 0);
}

TEST_F(BadStore, ThatIsMissingIsNamedWithTheWayToMakeOne) {
  fs::remove(store());
  expect_refused({"there is no store", "certherd init"});
}

/// An account key is sealed before the CA hears of it; here nobody listens at the CA.
class WrongSealKey : public BadStore {
 protected:
  void SetUp() override {
    BadStore::SetUp();
    auto text = content_of(path("certherd.toml"));
    constexpr std::string_view key = "directory = \"";
    const auto at = text.find(key) + key.size();
    text.replace(at, text.find('"', at) - at, "https://127.0.0.1:9/dir");
    write_file(path("certherd.toml"), text);
    ASSERT_EQ(run({"account", "register"}).status, some_failed);
    kept_ = content_of(path("certherd.key"));
  }

  std::string kept_;
};

TEST_F(WrongSealKey, IsToldAndOpensNothingAndTheRightOneStillDoes) {
  const auto another = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\n";
  write_file(path("certherd.key"), another);
  const auto ended = run({"account", "register"});
  std::cout << ended.err;
  EXPECT_EQ(ended.status, wrong_usage) << ended.err;
  EXPECT_THAT(ended.err,
              AllOf(HasSubstr("it was sealed under key"), HasSubstr("put that key back")));
  EXPECT_EQ(ended.err.find("MDEyMzQ1"), std::string::npos);

  write_file(path("certherd.key"), kept_);
  EXPECT_THAT(run({"account", "register"}).err, HasSubstr("connection refused"));
}

TEST_F(WrongSealKey, ThatIsNoKeyIsToldByItsForm) {
  for (const auto* text : {"", "short", "not base64 at all, whatever you say, it is not"}) {
    write_file(path("certherd.key"), text);
    const auto ended = run({"account", "register"});
    std::cout << ended.err;
    EXPECT_EQ(ended.status, wrong_usage);
    EXPECT_THAT(ended.err, AllOf(HasSubstr("seal key"), HasSubstr("32 bytes")));
  }
  fs::remove(path("certherd.key"));
  const auto lost = run({"account", "register"});
  std::cout << lost.err;
  EXPECT_EQ(lost.status, wrong_usage);
  EXPECT_THAT(lost.err, AllOf(HasSubstr(path("certherd.key").string()), HasSubstr("not exist")));
}

}  // namespace
}  // namespace certherd::e2e
