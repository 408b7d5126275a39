#include <fmt/format.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include "base/time.hpp"
#include "store/dialect.hpp"

namespace certherd::store {
namespace {

class Sqlite final : public Dialect {
 public:
  Sqlite(std::filesystem::path path, std::chrono::milliseconds patience)
      : path_(std::move(path)), patience_(patience) {}

  std::string name() const override { return path_.empty() ? ":memory:" : path_.string(); }

  std::unique_ptr<soci::session> connect(Role role) const override {
    auto sql = std::make_unique<soci::session>(soci::sqlite3, fmt::format("dbname=\"{}\"", name()));
    *sql << fmt::format("PRAGMA busy_timeout = {}", patience_.count());
    *sql << "PRAGMA foreign_keys = ON";
    // FULL syncs at each commit also in WAL mode, so that what a call wrote outlives a power cut
    // (https://www.sqlite.org/pragma.html#pragma_synchronous).
    *sql << "PRAGMA synchronous = FULL";
    if (role == Role::reader) *sql << "PRAGMA query_only = ON";
    return sql;
  }

  // WAL lets readers go on beside the writer. A database in memory has none, and says so.
  void adopt(soci::session& sql) const override { sql << "PRAGMA journal_mode = WAL"; }

  bool single_session() const override { return path_.empty(); }

  // A plain BEGIN that reads and then writes fails at once, whatever the busy timeout, when
  // somebody else wrote in between: SQLite cannot move its snapshot forward.
  void begin_write(soci::session& sql) const override { sql << "BEGIN IMMEDIATE"; }

  std::string_view identity_column() const override {
    // AUTOINCREMENT: the number of a deleted row is not given out again.
    return "INTEGER PRIMARY KEY AUTOINCREMENT";
  }

  Error explain(const soci::soci_error& error) const override {
    Error explained;
    explained.op = name();
    explained.kind = Error::Kind::rejected;
    explained.detail = error.what();
    const auto* sqlite = dynamic_cast<const soci::sqlite3_soci_error*>(&error);
    if (sqlite == nullptr) return explained;

    const auto say = [&explained](Error::Kind kind, std::string_view words) {
      explained.kind = kind;
      explained.detail = words;
    };
    switch (sqlite->result() & 0xff) {  // the low byte is the primary code
      case SQLITE_FULL:
        say(Error::Kind::transient, "its disk is full: free space, then run again");
        break;
      case SQLITE_READONLY:
        say(Error::Kind::transient,
            "it is read-only: let this user write to the file and its folder, then run again");
        break;
      case SQLITE_BUSY:
      case SQLITE_LOCKED:
        say(Error::Kind::transient,
            fmt::format("another process held its lock for more than {}: see which ones use it",
                        format_duration(patience_)));
        break;
      case SQLITE_CANTOPEN:
      case SQLITE_PERM:
      case SQLITE_AUTH:
        say(Error::Kind::denied,
            "it cannot be opened: this user must be able to read and write the file and its "
            "folder");
        break;
      case SQLITE_NOTADB:
        say(Error::Kind::misconfigured, "it is not a database: check the url under [store]");
        break;
      case SQLITE_CORRUPT:
        say(Error::Kind::rejected, "it is damaged: restore it from a backup");
        break;
      case SQLITE_CONSTRAINT:
        say(Error::Kind::conflict, error.what());
        break;
      case SQLITE_IOERR:
        say(Error::Kind::transient,
            fmt::format("its disk failed ({}): check the disk, then run again", error.what()));
        break;
      default:
        say(Error::Kind::transient, error.what());
    }
    return explained;
  }

 private:
  std::filesystem::path path_;
  std::chrono::milliseconds patience_;
};

}  // namespace

std::unique_ptr<Dialect> make_sqlite(std::filesystem::path path,
                                     std::chrono::milliseconds patience) {
  return std::make_unique<Sqlite>(std::move(path), patience);
}

}  // namespace certherd::store
