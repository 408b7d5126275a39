#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "base/result.hpp"
#include "base/time.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/task.hpp"
#include "runtime/wakeup.hpp"

namespace certherd::dns {

/// Look-ups that many want at once: one caller does it, the others wait for its result, and it is
/// kept for five minutes. Errors are shared but not kept. Used on the loop.
template <typename Key, typename Value>
class SharedLookups {
 public:
  using LookUp = std::function<Task<Result<Value>>(Key)>;

  SharedLookups(runtime::EventLoop& loop, LookUp look_up)
      : loop_(loop), look_up_(std::move(look_up)) {}

  /// What is known no longer holds; look-ups under way are not touched.
  void forget() { known_.clear(); }

  Task<Result<Value>> of(Key key) {
    for (;;) {
      const auto known = known_.find(key);
      if (known != known_.end() && loop_.clock().now() < known->second.good_until) {
        co_return known->second.value;
      }
      const auto running = flights_.find(key);
      if (running == flights_.end()) break;
      const auto flight = running->second;
      while (!flight->over) co_await flight->ended.wait();
      if (flight->result) co_return *flight->result;
    }

    Landing landing(this, key);
    auto value = co_await look_up_(key);
    if (value) keep(key, *value);
    landing.bring(value);
    co_return value;
  }

 private:
  static constexpr Duration kept_for = std::chrono::minutes(5);
  static constexpr std::size_t max_kept = 10'000;

  struct Entry {
    Value value;
    Time good_until;
  };

  /// One look-up that several callers wait for; shared by them, and by the map while it runs.
  struct Flight {
    explicit Flight(runtime::EventLoop& loop) : ended(loop) {}
    runtime::Wakeup ended;
    bool over = false;
    std::optional<Result<Value>> result;  ///< none when its caller was cancelled
  };

  /// Lands the flight even when this caller is cancelled: another one then takes off anew.
  class Landing {
   public:
    Landing(SharedLookups* owner, Key key)
        : owner_(owner), key_(std::move(key)), flight_(std::make_shared<Flight>(owner->loop_)) {
      owner_->flights_.emplace(key_, flight_);
    }
    Landing(const Landing&) = delete;
    Landing& operator=(const Landing&) = delete;
    ~Landing() {
      flight_->over = true;
      owner_->flights_.erase(key_);
      flight_->ended.notify_all();
    }
    void bring(const Result<Value>& result) { flight_->result = result; }

   private:
    SharedLookups* owner_;
    Key key_;
    std::shared_ptr<Flight> flight_;
  };

  void keep(const Key& key, Value value) {
    const Time now = loop_.clock().now();
    if (known_.size() >= max_kept) {
      std::erase_if(known_, [now](const auto& entry) { return entry.second.good_until <= now; });
      if (known_.size() >= max_kept) known_.clear();
    }
    known_.insert_or_assign(key, Entry{.value = std::move(value), .good_until = now + kept_for});
  }

  runtime::EventLoop& loop_;
  LookUp look_up_;
  std::map<Key, Entry> known_;
  std::map<Key, std::shared_ptr<Flight>> flights_;
};

}  // namespace certherd::dns
