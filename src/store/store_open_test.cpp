// Opening, creating and migrating a store, and what its errors say.
#include <fcntl.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "store/dialect.hpp"
#include "store/migrations.hpp"
#include "store/store_testing.hpp"

namespace certherd::store {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class StoreFile : public testing::Test {
 protected:
  std::string url() const { return "sqlite:" + path.string(); }
  Options existing() const { return {.url = url()}; }
  Options create() const { return {.url = url(), .create = true}; }

  /// Runs SQL on the file behind the store's back.
  void run_sql(const std::string& text) const {
    Session sql(soci::sqlite3, "dbname=\"" + path.string() + "\"");
    sql << text;
  }

  static unsigned mode_of(const std::filesystem::path& file) {
    struct stat status{};
    EXPECT_EQ(::stat(file.c_str(), &status), 0) << file;
    return status.st_mode & 0777U;
  }

  TempFolder folder;
  std::filesystem::path path = folder / "state store=1.db";  // characters that SOCI splits at
};

TEST_F(StoreFile, IsThereAgainWhenOpenedAnew) {
  {
    Opened store(create());
    ASSERT_TRUE(store.ok()) << store.error().message();
    ASSERT_TRUE(store.run(store->add_domains({some_domain("a.example")}, {})));
  }
  Opened store(existing());
  ASSERT_TRUE(store.ok()) << store.error().message();
  EXPECT_EQ(store.run(store->domains())->size(), 1U);
}

TEST_F(StoreFile, IsPrivateWithAllThatSqliteKeepsBesideIt) {
  const auto former = ::umask(0);
  Opened store(create());
  ASSERT_TRUE(store.run(store->append({some_event("x")})));
  ASSERT_TRUE(store.run(store->events({})));
  ::umask(former);

  EXPECT_EQ(mode_of(path), 0600U);
  EXPECT_EQ(mode_of(path.string() + "-wal"), 0600U);
  EXPECT_EQ(mode_of(path.string() + "-shm"), 0600U);
}

TEST_F(StoreFile, IsNeverOverwritten) {
  {
    Opened store(create());
  }
  Opened again(create());
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().kind, Error::Kind::conflict);
  EXPECT_TRUE(Opened(existing()).ok());
}

TEST_F(StoreFile, WhenMissingNamesTheRemedy) {
  Opened store(existing());
  ASSERT_FALSE(store.ok());
  EXPECT_EQ(store.error().kind, Error::Kind::not_found);
  EXPECT_THAT(store.error().message(), HasSubstr("certherd init"));
  EXPECT_THAT(store.error().message(), HasSubstr(path.string()));
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(StoreFile, OfANewerSchemaNamesTheProgramThatIsNeeded) {
  {
    Opened store(create());
  }
  run_sql("INSERT INTO schema_version (number, program, applied_at) VALUES (42, '9.8.7', 0)");

  Opened store(existing());

  ASSERT_FALSE(store.ok());
  EXPECT_EQ(store.error().kind, Error::Kind::misconfigured);
  EXPECT_THAT(store.error().message(), HasSubstr("version 42"));
  EXPECT_THAT(store.error().message(), HasSubstr("use certherd 9.8.7 or newer"));
}

TEST_F(StoreFile, OfAnOlderSchemaIsOnlyMigratedWhenAskedTo) {
  std::ofstream(path).close();
  Opened looking({.url = url(), .create = false, .migrate = false});
  ASSERT_FALSE(looking.ok());
  EXPECT_EQ(looking.error().kind, Error::Kind::misconfigured);
  EXPECT_EQ(std::filesystem::file_size(path), 0U);
  EXPECT_TRUE(Opened(existing()).ok());
  EXPECT_TRUE(Opened({.url = url(), .create = false, .migrate = false}).ok());
}

TEST_F(StoreFile, ThatIsNoDatabaseIsRefused) {
  std::ofstream(path) << std::string(8192, 'x');
  Opened store(existing());
  ASSERT_FALSE(store.ok());
  EXPECT_EQ(store.error().kind, Error::Kind::misconfigured);
  EXPECT_THAT(store.error().message(), HasSubstr("not a database"));
}

TEST_F(StoreFile, OfAnotherProgramIsRefusedAndLeftAsItIs) {
  run_sql("CREATE TABLE music (title TEXT)");
  std::ifstream file(path, std::ios::binary);
  const std::string before((std::istreambuf_iterator<char>(file)), {});

  Opened store(existing());

  ASSERT_FALSE(store.ok());
  EXPECT_EQ(store.error().kind, Error::Kind::misconfigured);
  EXPECT_THAT(store.error().message(), HasSubstr("music"));
  file.seekg(0);
  EXPECT_EQ(std::string((std::istreambuf_iterator<char>(file)), {}), before);
}

TEST_F(StoreFile, LeftEmptyByACrashOfInitIsFinished) {
  std::ofstream(path).close();
  Opened store(existing());
  ASSERT_TRUE(store.ok()) << store.error().message();
  EXPECT_TRUE(store.run(store->append({some_event("x")})));
}

TEST_F(StoreFile, ThatIsAFolderIsRefused) {
  std::filesystem::create_directory(path);
  Opened store(existing());
  ASSERT_FALSE(store.ok());
  EXPECT_EQ(store.error().kind, Error::Kind::misconfigured);
}

TEST_F(StoreFile, InAMissingFolderIsNotCreated) {
  Opened store({.url = "sqlite:" + (folder / "no/such/x.db").string(), .create = true});
  ASSERT_FALSE(store.ok());
  EXPECT_EQ(store.error().kind, Error::Kind::not_found);
}

TEST_F(StoreFile, ARowThatDoesNotParseIsNamed) {
  Opened store(create());
  ASSERT_TRUE(store.run(store->add_domains({some_domain("a.example")}, {})));
  run_sql("UPDATE domain SET names = '[17]'");

  auto rows = store.run(store->domains());

  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().kind, Error::Kind::rejected);
  EXPECT_EQ(rows.error().message(), "list domains: row 1 of domain: names: [0].value: is no text");
}

TEST_F(StoreFile, ThatIsDamagedAsksForTheBackup) {
  {
    Opened store(create());
    ASSERT_TRUE(store.run(store->add_domains({some_domain("a.example")}, {})));
  }
  {
    // The first page stays, so that it still looks like a database.
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4096);
    file << std::string(std::filesystem::file_size(path) - 4096, '\xff');
  }
  Opened store(existing());
  ASSERT_FALSE(store.ok());
  EXPECT_EQ(store.error().kind, Error::Kind::rejected);
  EXPECT_THAT(store.error().message(), HasSubstr("backup"));
}

TEST(StoreUrl, OtherKindsAreMisconfigured) {
  for (const auto* url : {"postgresql://user@host/db", "sqlite:relative.db", "sqlite:", "",
                          "sqlite:/tmp/a\"b.db", "sqlite:/tmp/a\nb.db"}) {
    Opened store({.url = url});
    ASSERT_FALSE(store.ok()) << url;
    EXPECT_EQ(store.error().kind, Error::Kind::misconfigured) << url;
  }
}

TEST(Migrations, AreNumberedWithoutGaps) {
  int number = 0;
  for (const auto& migration : migrations()) EXPECT_EQ(migration.number, ++number);
  EXPECT_GE(number, 1);
}

TEST(SqliteErrors, TellWhatToDo) {
  const auto dialect = make_sqlite("/var/lib/state.db");
  const auto explained = [&dialect](int code) {
    return dialect->explain(soci::sqlite3_soci_error("raw words", code));
  };
  const struct {
    int code;
    Error::Kind kind;
    const char* words;
  } cases[] = {
      {SQLITE_FULL, Error::Kind::transient, "disk is full: free space, then run again"},
      {SQLITE_READONLY, Error::Kind::transient, "read-only"},
      {SQLITE_BUSY, Error::Kind::transient, "more than 10s"},
      {SQLITE_LOCKED, Error::Kind::transient, "another process"},
      {SQLITE_CORRUPT, Error::Kind::rejected, "backup"},
      {SQLITE_NOTADB, Error::Kind::misconfigured, "not a database"},
      {SQLITE_CANTOPEN, Error::Kind::denied, "cannot be opened"},
      {SQLITE_CONSTRAINT, Error::Kind::conflict, "raw words"},
      {SQLITE_IOERR, Error::Kind::transient, "check the disk"},
      {SQLITE_NOMEM, Error::Kind::transient, "raw words"},
      {SQLITE_IOERR_FSYNC, Error::Kind::transient, "check the disk"},
  };
  for (const auto& each : cases) {
    const auto error = explained(each.code);
    EXPECT_EQ(error.kind, each.kind) << each.code;
    EXPECT_THAT(error.message(), HasSubstr(each.words)) << each.code;
    EXPECT_THAT(error.message(), HasSubstr("/var/lib/state.db")) << each.code;
  }
  EXPECT_EQ(dialect->explain(soci::soci_error("null value")).kind, Error::Kind::rejected);
}

}  // namespace
}  // namespace certherd::store
