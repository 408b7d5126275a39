#include "store/sessions.hpp"

namespace certherd::store {
namespace {

// Also where the database has rolled back by itself, as SQLite may on a full disk: nothing is left
// to be done or told then.
void roll_back(Session& sql) {
  try {
    sql.execute("ROLLBACK");
    // NOLINTNEXTLINE(bugprone-empty-catch): see above
  } catch (const soci::soci_error&) {
  }
}

}  // namespace

WriteTransaction::WriteTransaction(const Dialect& dialect, Session& sql) : sql_(sql) {
  dialect.begin_write(sql_);
}

WriteTransaction::~WriteTransaction() {
  if (open_) roll_back(sql_);
}

void WriteTransaction::commit() {
  sql_.execute("COMMIT");
  open_ = false;
}

ReadTransaction::ReadTransaction(Session& sql) : sql_(sql) { sql_.execute("BEGIN"); }

ReadTransaction::~ReadTransaction() { roll_back(sql_); }

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
