#include "runtime/turnstile.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace certherd::runtime {

Turnstile::Turnstile(EventLoop& loop, Budget& budget, Allowance allowance, Duration patience)
    : loop_(loop),
      budget_(budget),
      allowance_(std::move(allowance)),
      patience_(patience),
      changed_(loop) {}

/// Whoever leaves while taking, by a cancellation too, lets another one take.
struct Turnstile::Taking {
  explicit Taking(Turnstile* turnstile) : turnstile(turnstile) { turnstile->taking_ = true; }
  Taking(const Taking&) = delete;
  Taking& operator=(const Taking&) = delete;
  ~Taking() {
    turnstile->taking_ = false;
    turnstile->changed_.notify_all();
  }
  Turnstile* turnstile;
};

Task<Status> Turnstile::pass(Urgency urgency, int needs) {
  const Place place{urgency, next_++};
  struct Leave {
    Turnstile* turnstile;
    Place place;
    ~Leave() {
      turnstile->waiting_.erase(place);
      turnstile->let_through_.erase(place);
    }
  };
  waiting_.insert(place);
  const Leave leave{this, place};

  while (!let_through_.contains(place)) {
    if (taking_) {
      co_await changed_.wait();
      continue;
    }
    const Time latest = last_moment();
    if (closed_until_ > latest) co_return send_away(needs);
    const Taking taking(this);
    auto from = co_await budget_.take(allowance_, 1, latest);
    if (!from) co_return fail(std::move(from.error()));
    if (*from > latest) {
      closed_until_ = *from;
      sent_away_ = 0;
      co_return send_away(needs);
    }
    co_await loop_.clock().sleep_until(*from);
    let_through_.insert(waiting_.extract(waiting_.begin()).value());
  }
  co_return Status();
}

Time Turnstile::last_moment() const {
  return patience_ == Duration::max() ? Time::max() : loop_.clock().now() + patience_;
}

Status Turnstile::send_away(int needs) {
  const auto windows = static_cast<Duration::rep>(sent_away_ / std::max(allowance_.burst, 1.0));
  sent_away_ += needs;
  Error error;
  error.kind = Error::Kind::throttled;
  error.op = "wait for our turn";
  error.detail = fmt::format("all that {} allows until {} is spent", allowance_.name,
                             format_time(closed_until_));
  error.retry_at = closed_until_ + windows * allowance_.window;
  return fail(std::move(error));
}

}  // namespace certherd::runtime
