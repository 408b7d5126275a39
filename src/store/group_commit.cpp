#include "store/group_commit.hpp"

#include <exception>
#include <mutex>
#include <utility>
#include <vector>

namespace certherd::store {

struct GroupCommit::Item {
  std::string op;
  Work work;
  std::function<void()> then;
  bool done = false;  // set on the writer's thread, before the offload's return to the loop
  Status result;
  std::exception_ptr defect;  // what it threw that is no database error
};

class GroupCommit::Queue {
 public:
  explicit Queue(std::shared_ptr<Sessions> sessions) : sessions_(std::move(sessions)) {}

  void push(std::shared_ptr<Item> item) {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(item));
  }

  /// For a caller that was cancelled before its work could begin.
  void withdraw(const std::shared_ptr<Item>& item) {
    const std::lock_guard lock(mutex_);
    std::erase(waiting_, item);
  }

  /// Commits all that is queued, unless the one that it is asked for went with a former group:
  /// its caller need not wait for a group that it is no part of.
  void commit_with(const Item& item) {
    if (item.done) return;
    std::vector<std::shared_ptr<Item>> group;
    {
      const std::lock_guard lock(mutex_);
      group.swap(waiting_);
    }
    commit(group);
    for (const auto& each : group) {
      if (each->then) each->then();
      each->done = true;
    }
  }

 private:
  void commit(const std::vector<std::shared_ptr<Item>>& group) {
    try {
      sessions_->write([this, &group](Session& sql) {
        WriteTransaction transaction(sessions_->dialect(), sql);
        if (group.size() == 1) {
          // Where it fails, the transaction is taken back as a whole.
          if (attempt_alone(sql, *group.front())) transaction.commit();
          return;
        }
        for (const auto& item : group) attempt(sql, *item);
        transaction.commit();
      });
    } catch (const soci::soci_error& error) {
      // Also those that failed by themselves: they may have judged by what is now taken back.
      for (const auto& item : group) {
        item->result = fail(sessions_->dialect().explain(error).during(item->op));
      }
    }
  }

  /// Gives what the database has said, if that is why it failed.
  std::exception_ptr work_on(Session& sql, Item& item) const {
    try {
      item.result = item.work(sql);
      if (!item.result) item.result = fail(std::move(item.result.error()).during(item.op));
    } catch (const soci::soci_error& error) {
      item.result = fail(sessions_->dialect().explain(error).during(item.op));
      return std::current_exception();
    } catch (...) {
      item.defect = std::current_exception();
    }
    return nullptr;
  }

  bool attempt_alone(Session& sql, Item& item) const {
    work_on(sql, item);
    return item.result && !item.defect;
  }

  void attempt(Session& sql, Item& item) const {
    sql << "SAVEPOINT item";
    const auto thrown = work_on(sql, item);
    if (!item.result || item.defect) roll_back(sql, thrown);
    sql << "RELEASE SAVEPOINT item";
  }

  static void roll_back(Session& sql, const std::exception_ptr& thrown) {
    try {
      sql << "ROLLBACK TO SAVEPOINT item";
    } catch (const soci::soci_error&) {
      // The database has taken back the whole transaction, as SQLite may on a full disk. What
      // it said first is the reason; that the savepoint is gone tells nobody anything.
      if (thrown) std::rethrow_exception(thrown);
      throw;
    }
  }

  std::shared_ptr<Sessions> sessions_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<Item>> waiting_;
};

/// An item's place in the queue, given up unless the offload has run.
struct GroupCommit::Place {
  Place(Queue& where, std::shared_ptr<Item> what) : queue(where), item(std::move(what)) {
    queue.push(item);
  }
  ~Place() {
    if (!served) queue.withdraw(item);
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  Queue& queue;
  std::shared_ptr<Item> item;
  bool served = false;
};

GroupCommit::GroupCommit(std::shared_ptr<Sessions> sessions, runtime::Offload& offload)
    : queue_(std::make_shared<Queue>(std::move(sessions))), offload_(offload) {}

Task<Status> GroupCommit::write(std::string op, Work work, std::function<void()> then) {
  auto item = std::make_shared<Item>();
  item->op = std::move(op);
  item->work = std::move(work);
  item->then = std::move(then);
  Place place(*queue_, item);
  std::function<void()> commit = [queue = queue_, item] { queue->commit_with(*item); };
  co_await offload_.run(std::move(commit));
  place.served = true;
  if (item->defect) std::rethrow_exception(item->defect);
  co_return std::move(item->result);
}

}  // namespace certherd::store
