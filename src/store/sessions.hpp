#pragma once

#include <soci/soci.h>

#include <memory>
#include <mutex>
#include <vector>

#include "store/dialect.hpp"
#include "store/session.hpp"

namespace certherd::store {

/// A transaction that may write; rolled back unless commit() returned.
class WriteTransaction {
 public:
  WriteTransaction(const Dialect& dialect, Session& sql);
  ~WriteTransaction();
  WriteTransaction(const WriteTransaction&) = delete;
  WriteTransaction& operator=(const WriteTransaction&) = delete;

  /// Throws soci::soci_error; nothing of the transaction remains then.
  void commit();

 private:
  Session& sql_;
  bool open_ = true;
};

/// What is read while it lives is of one moment.
class ReadTransaction {
 public:
  /// Throws soci::soci_error.
  explicit ReadTransaction(Session& sql);
  ~ReadTransaction();
  ReadTransaction(const ReadTransaction&) = delete;
  ReadTransaction& operator=(const ReadTransaction&) = delete;

 private:
  Session& sql_;
};

/// The sessions of one store: one to write, and as many to read as there are readers at a time.
/// Usable from any thread; each piece of work has its session to itself. A database that lives
/// in memory has but one session, which then readers and writer take in turn.
class Sessions {
 public:
  /// Connects the writer. Throws soci::soci_error.
  explicit Sessions(std::unique_ptr<Dialect> dialect);

  const Dialect& dialect() const { return *dialect_; }

  template <typename Work>
  auto write(Work&& work) {
    const std::lock_guard lock(writing_);
    return std::forward<Work>(work)(*writer_);
  }

  template <typename Work>
  auto read(Work&& work) {
    if (dialect_->single_session()) return write(std::forward<Work>(work));
    const Loan loan(*this);
    return std::forward<Work>(work)(*loan.session);
  }

 private:
  /// One reading session, given back at the end.
  struct Loan {
    explicit Loan(Sessions& owner);
    ~Loan();
    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;

    Sessions& sessions;
    std::unique_ptr<Session> session;
  };

  std::unique_ptr<Dialect> dialect_;
  std::mutex writing_;
  std::unique_ptr<Session> writer_;
  std::mutex lending_;
  std::vector<std::unique_ptr<Session>> idle_readers_;
};

}  // namespace certherd::store
