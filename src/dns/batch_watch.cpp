#include "dns/batch_watch.hpp"

#include <algorithm>
#include <utility>

namespace certherd::dns {
namespace {

using namespace std::chrono_literals;

// After a first question that came too early the next first ones come later by three tenths, and
// after one that did not, earlier by 2.5 %: in the long run one of eleven comes too early.
constexpr double later = 1.3;
constexpr double earlier = 0.975;
constexpr double least_experience = 0.05;
constexpr double most_experience = 1;

// What was asked and is not in sync is asked again after 5, 10, 20 and then 30 s.
constexpr Duration first_pause = 5s;
constexpr Duration longest_pause = 30s;

}  // namespace

Task<Result<ChangeBatcher::Spreading>> BatchWatch::look(Ticket ticket) {
  using Spreading = ChangeBatcher::Spreading;
  const Time now = loop_.clock().now();
  {
    auto& known = batch(ticket);
    if (known.in_sync) co_return Spreading{.state = ChangeState::in_sync, .look_again = now};
    if (!known.ask_at) {
      const std::chrono::duration<double> seen_after = now - known.taken_at;
      known.ask_at = now + std::chrono::duration_cast<Duration>(seen_after * experience_);
    }
    if (known.asking || now < *known.ask_at) {
      const Time again = known.asking ? now + 1s : *known.ask_at;
      co_return Spreading{.state = ChangeState::pending, .look_again = again};
    }
    known.asking = true;
  }
  // No reference is kept across the wait: the batch may have moved meanwhile.
  Result<ChangeState> state = ChangeState::pending;
  std::exception_ptr ended;
  try {
    auto asked_for = ticket;
    state = co_await provider_.state(std::move(asked_for));
  } catch (...) {
    ended = std::current_exception();
  }
  auto& known = batch(ticket);
  known.asking = false;
  if (ended) std::rethrow_exception(ended);
  // What cannot be told now holds up a whole batch, and is no fault of any domain in it.
  const bool unknown = !state && (state.error().kind == Error::Kind::throttled ||
                                  state.error().kind == Error::Kind::transient);
  if (!state && !unknown) co_return fail(std::move(state.error()));

  if (state) {
    known.asked += 1;
    known.in_sync = *state == ChangeState::in_sync;
    learn(known);
  }
  const int pauses = std::clamp(known.asked - 1, 0, 3);
  known.ask_at = loop_.clock().now() + std::min(longest_pause, first_pause * (1 << pauses));
  if (unknown) known.ask_at = std::max(*known.ask_at, state.error().retry_at.value_or(Time()));
  co_return Spreading{.state = known.in_sync ? ChangeState::in_sync : ChangeState::pending,
                      .look_again = *known.ask_at};
}

void BatchWatch::learn(const Batch& batch) {
  if (batch.asked != 1) return;
  if (batch.in_sync) {
    experience_ *= earlier;
    if (experience_ < least_experience) experience_ = 0;
  } else {
    experience_ = std::clamp(experience_ * later, least_experience, most_experience);
  }
}

BatchWatch::Batch& BatchWatch::batch(const Ticket& ticket) {
  const Time now = loop_.clock().now();
  if (now >= next_turn_) {
    former_batches_ = std::exchange(batches_, {});
    next_turn_ = now + turn;
  }
  const auto known = batches_.find(ticket);
  if (known != batches_.end()) return known->second;
  if (auto former = former_batches_.extract(ticket)) {
    return batches_.insert(std::move(former)).position->second;
  }
  Batch fresh;
  fresh.taken_at = now;
  return batches_.emplace(ticket, fresh).first->second;
}

}  // namespace certherd::dns
