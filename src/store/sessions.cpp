#include "store/sessions.hpp"

namespace certherd::store {

WriteTransaction::WriteTransaction(const Dialect& dialect, Session& sql) : sql_(sql) {
  dialect.begin_write(sql_);
}

WriteTransaction::~WriteTransaction() {
  if (!open_) return;
  try {
    sql_.rollback();
    // NOLINTNEXTLINE(bugprone-empty-catch): nothing is left to be done or told, see below
  } catch (const soci::soci_error&) {
    // The database has rolled back by itself, as SQLite may on a full disk.
  }
}

void WriteTransaction::commit() {
  sql_.execute("COMMIT");
  open_ = false;
}

ReadTransaction::ReadTransaction(Session& sql) : sql_(sql) { sql_.execute("BEGIN"); }

ReadTransaction::~ReadTransaction() {
  try {
    sql_.execute("ROLLBACK");
    // NOLINTNEXTLINE(bugprone-empty-catch): nothing was written
  } catch (const soci::soci_error&) {
  }
}

Sessions::Sessions(std::unique_ptr<Dialect> dialect)
    : dialect_(std::move(dialect)), writer_(dialect_->connect(Dialect::Role::writer)) {}

Sessions::Loan::Loan(Sessions& owner) : sessions(owner) {
  {
    const std::lock_guard lock(sessions.lending_);
    if (!sessions.idle_readers_.empty()) {
      session = std::move(sessions.idle_readers_.back());
      sessions.idle_readers_.pop_back();
      return;
    }
  }
  session = sessions.dialect_->connect(Dialect::Role::reader);
}

Sessions::Loan::~Loan() {
  const std::lock_guard lock(sessions.lending_);
  sessions.idle_readers_.push_back(std::move(session));
}

}  // namespace certherd::store
