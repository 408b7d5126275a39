#pragma once

#include <soci/soci.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "store/session.hpp"

namespace certherd::store {

/// Everything in which one database differs from another. No other file of this room knows
/// which database it speaks to. Immutable, so usable from any thread.
class Dialect {
 public:
  enum class Role { reader, writer };

  virtual ~Dialect() = default;

  /// What is opened, for people: a path.
  virtual std::string name() const = 0;

  /// A new session with its settings made. Throws soci::soci_error.
  virtual std::unique_ptr<Session> connect(Role role) const = 0;

  /// Makes the settings that stay with the database, once it is known to be ours. Not inside a
  /// transaction.
  virtual void adopt(Session& sql) const = 0;

  /// Whether a second session would see another database, so that all must share one.
  virtual bool single_session() const = 0;

  /// Begins a transaction that may write, and holds off other writers from its start.
  virtual void begin_write(Session& sql) const = 0;

  /// A number that is another one as soon as any other session than this one has committed.
  virtual long long others_commits(Session& sql) const = 0;

  /// What `$identity$` stands for in a migration.
  virtual std::string_view identity_column() const = 0;

  /// What an exception of SOCI means to the caller and to a person.
  virtual Error explain(const soci::soci_error& error) const = 0;
};

/// How long a statement waits for another process's transaction.
constexpr std::chrono::milliseconds busy_timeout = std::chrono::seconds(10);

/// SQLite at `path`, or in memory where that is empty.
std::unique_ptr<Dialect> make_sqlite(std::filesystem::path path,
                                     std::chrono::milliseconds patience = busy_timeout);

}  // namespace certherd::store
