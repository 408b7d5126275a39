#include <fcntl.h>
#include <fmt/format.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "base/time.hpp"
#include "store/dialect.hpp"

namespace certherd::store {
namespace {

namespace fs = std::filesystem;

// SQLite makes its -shm file larger page by page, and calls it an I/O error when that fails.
constexpr std::uintmax_t least_space = 64U << 10U;

fs::path folder_of(const fs::path& file) {
  return file.has_parent_path() ? file.parent_path() : fs::path(".");
}

bool is_full(const fs::path& file) {
  std::error_code failure;
  const auto space = fs::space(folder_of(file), failure);
  return !failure && space.available < least_space;
}

bool is_read_only(const fs::path& file) {
  return ::faccessat(AT_FDCWD, folder_of(file).c_str(), W_OK, AT_EACCESS) != 0 && errno == EROFS;
}

constexpr std::string_view full_words = "its disk is full: free space, then run again";
constexpr std::string_view read_only_words =
    "it is read-only: let this user write to the file and its folder, then run again";

struct DataVersion {
  long long version = 0;
  soci::statement statement;

  explicit DataVersion(Session& sql)
      : statement((sql.prepare << "PRAGMA data_version", soci::into(version))) {}
};

/// For all databases of the process: those that other libraries may have opened before keep theirs.
/// A session is used by one thread at a time, so SQLite need not lock it at each call; nor is it
/// asked how much memory it has (https://www.sqlite.org/c3ref/c_config_covering_index_scan.html).
void configure_library() {
  [[maybe_unused]] static const bool is_done =
      sqlite_api::sqlite3_config(SQLITE_CONFIG_MULTITHREAD) == SQLITE_OK &&
      sqlite_api::sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0) == SQLITE_OK;
}

class Sqlite final : public Dialect {
 public:
  Sqlite(std::filesystem::path path, std::chrono::milliseconds patience)
      : path_(std::move(path)), patience_(patience) {}

  std::string name() const override { return path_.empty() ? ":memory:" : path_.string(); }

  std::unique_ptr<Session> connect(Role role) const override {
    auto sql = std::make_unique<Session>(soci::sqlite3, fmt::format("dbname=\"{}\"", name()));
    *sql << fmt::format("PRAGMA busy_timeout = {}", patience_.count());
    *sql << "PRAGMA foreign_keys = ON";
    // FULL syncs at each commit also in WAL mode, so that what a call wrote outlives a power cut
    // (https://www.sqlite.org/pragma.html#pragma_synchronous).
    *sql << "PRAGMA synchronous = FULL";
    if (role == Role::reader) *sql << "PRAGMA query_only = ON";
    return sql;
  }

  // WAL lets readers go on beside the writer. A database in memory has none, and says so.
  void adopt(Session& sql) const override { sql << "PRAGMA journal_mode = WAL"; }

  bool single_session() const override { return path_.empty(); }

  // A plain BEGIN that reads and then writes fails at once, whatever the busy timeout, when
  // somebody else wrote in between: SQLite cannot move its snapshot forward.
  void begin_write(Session& sql) const override { sql.execute("BEGIN IMMEDIATE"); }

  // https://www.sqlite.org/pragma.html#pragma_data_version: the commits of the session itself do
  // not change it.
  long long others_commits(Session& sql) const override {
    auto& query = sql.prepared<DataVersion>();
    query.statement.execute();
    long long version = 0;
    while (query.statement.fetch()) version = query.version;
    return version;
  }

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
        say(Error::Kind::transient, full_words);
        break;
      case SQLITE_READONLY:
        say(Error::Kind::transient, read_only_words);
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
        if (is_read_only(path_)) {
          say(Error::Kind::transient, read_only_words);
          break;
        }
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
        if (is_full(path_)) {
          say(Error::Kind::transient, full_words);
          break;
        }
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
  configure_library();
  return std::make_unique<Sqlite>(std::move(path), patience);
}

}  // namespace certherd::store
