#include "dns/zone_sender.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "runtime/steady_time.hpp"

namespace certherd::dns {
namespace {

constexpr int max_attempts = 4;  // of a change that meets transient failures
constexpr Duration first_retry = std::chrono::seconds(1);

constexpr auto any_number = std::numeric_limits<std::size_t>::max();

bool is_removal(const QueuedChange& queued) {
  return queued.change.action == TxtChange::Action::remove;
}

void fail_change(QueuedChange& queued, const Error& error) {
  for (const auto& request : queued.requests) request->fail(error);
}

// The batch's error, with only those causes that are about this change. None: it is not named.
std::optional<Error> blame(const Error& error, const TxtChange& change) {
  Error own = error;
  std::erase_if(own.causes, [&change](const Error& cause) {
    return cause.op != change.value.text() && cause.op != change.name.text();
  });
  if (own.causes.empty()) return std::nullopt;
  return own;
}

}  // namespace

ZoneSender::ZoneSender(Zone zone, runtime::EventLoop* loop, Provider* provider, Ledger* ledger,
                       const ChangeBatcher::Options* options)
    : zone_(std::move(zone)),
      loop_(loop),
      provider_(provider),
      ledger_(ledger),
      options_(options),
      most_(any_number),
      changed_(*loop) {}

void ZoneSender::ensure(QueuedChange change) {
  // Who wants the value now wins over who wanted it gone.
  if (auto removal = removals_.extract(change.key())) {
    for (const auto& request : removal->requests) request->supersede();
  }
  additions_.add(std::move(change));
  changed_.notify_all();
}

void ZoneSender::remove(QueuedChange change) {
  const auto sent = std::ranges::find_if(batch_, [&change](const QueuedChange& queued) {
    return is_removal(queued) && queued.key() == change.key();
  });
  if (sent != batch_.end()) {  // its answer is for whoever asks now, too
    std::ranges::move(change.requests, std::back_inserter(sent->requests));
    return;
  }
  removals_.add(std::move(change));
  changed_.notify_all();
}

void ZoneSender::add_wanted(std::set<ChangeKey>& keys) const {
  additions_.add_keys(keys);
  for (const auto& queued : batch_) {
    if (!is_removal(queued)) keys.insert(queued.key());
  }
}

Task<void> ZoneSender::run() {
  try {
    while (!additions_.empty() || !removals_.empty()) co_await send_batch();
  } catch (...) {
    abandon();
    running_ = false;
    throw;
  }
  running_ = false;
}

void ZoneSender::abandon() {
  std::ranges::move(additions_.take_all(), std::back_inserter(batch_));
  std::ranges::move(removals_.take_all(), std::back_inserter(batch_));
  for (const auto& queued : std::exchange(batch_, {})) {
    for (const auto& request : queued.requests) request->abandon();
  }
}

// When the first change has to go. One that is in no hurry may be overtaken by one that is, and
// then travels with it.
Time ZoneSender::due() const {
  Time first = Time::max();
  if (!additions_.empty()) first = additions_.due();
  if (!removals_.empty()) first = std::min(first, removals_.due());
  return std::max(first, not_before_);
}

Task<void> ZoneSender::send_batch() {
  const auto& clock = loop_->clock();
  while (runtime::steady_now(clock) < due())
    co_await changed_.wait_until(runtime::by_clock(clock, due()));

  fill_batch();
  if (!co_await record_batch()) co_return;
  std::vector<TxtChange> changes;
  changes.reserve(batch_.size());
  for (const auto& queued : batch_) changes.push_back(queued.change);
  auto zone = zone_;
  const auto ticket = co_await provider_->apply(std::move(zone), std::move(changes));
  if (ticket) {
    succeed(*ticket);
  } else {
    handle(ticket.error());
  }
}

// Additions first: clean-up never delays a certificate, it takes what room is left.
void ZoneSender::fill_batch() {
  auto limits = provider_->limits();
  limits.changes = std::min(limits.changes, most_);
  additions_.take(limits, batch_);
  removals_.take(limits, batch_);
}

// False when nothing may be sent, since the ledger does not hold it.
Task<bool> ZoneSender::record_batch() {
  std::vector<TxtRecord> records;
  for (const auto& queued : batch_)
    std::ranges::copy(queued.unrecorded, std::back_inserter(records));
  if (!records.empty()) {
    const auto recorded = co_await ledger_->record(std::move(records));
    if (!recorded) {
      const auto error = recorded.error().during("record challenge values");
      for (auto& queued : std::exchange(batch_, {})) {
        if (is_removal(queued)) {
          put_back(std::move(queued));
        } else {
          fail_change(queued, error);
        }
      }
      co_return false;
    }
    for (auto& queued : batch_) queued.unrecorded.clear();
  }
  co_return !batch_.empty();
}

void ZoneSender::succeed(const Ticket& ticket) {
  for (const auto& queued : std::exchange(batch_, {})) {
    for (const auto& request : queued.requests) request->succeed(ticket);
  }
  most_ = most_ > any_number / 2 ? any_number : most_ * 2;
  // Back to full speed step by step, or a busy zone would meet the limit at each second request.
  gap_ = gap_ / 2 < options_->min_gap ? Duration(0) : gap_ / 2;
  pause(gap_, std::nullopt);
}

void ZoneSender::handle(const Error& error) {
  switch (error.kind) {
    case Error::Kind::throttled:
      slow_down(error);
      send_again();
      break;
    case Error::Kind::transient:
    case Error::Kind::deadline:
      retry_or_fail(error);
      break;
    case Error::Kind::rejected:
      reject(error);
      break;
    default:
      for (auto& queued : std::exchange(batch_, {})) fail_change(queued, error);
  }
}

void ZoneSender::slow_down(const Error& error) {
  gap_ = std::clamp(gap_ * 2, options_->min_gap, options_->max_gap);
  pause(gap_, error.retry_at);
}

void ZoneSender::send_again() {
  for (auto& queued : std::exchange(batch_, {})) put_back(std::move(queued));
}

void ZoneSender::retry_or_fail(const Error& error) {
  int attempts = 1;
  for (auto& queued : std::exchange(batch_, {})) {
    ++queued.attempts;
    attempts = std::max(attempts, queued.attempts);
    if (queued.attempts < max_attempts) {
      put_back(std::move(queued));
    } else {
      fail_change(queued, error);
    }
  }
  pause(first_retry * (1 << (attempts - 1)), error.retry_at);
}

void ZoneSender::pause(Duration least, std::optional<Time> until) {
  const auto& clock = loop_->clock();
  const Time now = clock.now();
  const Duration asked = until ? *until - now : Duration();
  not_before_ = runtime::steady_now(clock) + std::max(least, asked);
}

void ZoneSender::reject(const Error& error) {
  if (reject_named(error) || split()) {
    send_again();
  } else {
    most_ = any_number;
    for (auto& queued : std::exchange(batch_, {})) fail_change(queued, error);
  }
}

// What spoils a batch without being named is found by halves, and then fails alone. Removals come
// last in a batch, so certificates wait for none of them that is refused.
bool ZoneSender::split() {
  if (batch_.size() < 2) return false;
  most_ = batch_.size() / 2;
  return true;
}

bool ZoneSender::reject_named(const Error& error) {
  const auto named = std::ranges::partition(
      batch_, [&error](const auto& queued) { return !blame(error, queued.change).has_value(); });
  for (auto& queued : named) fail_change(queued, *blame(error, queued.change));
  const bool any = !named.empty();
  batch_.erase(named.begin(), named.end());
  return any;
}

void ZoneSender::put_back(QueuedChange change) {
  if (!is_removal(change)) {
    additions_.restore(std::move(change));
  } else if (additions_.contains(change.key())) {
    for (const auto& request : change.requests) request->supersede();
  } else {
    removals_.restore(std::move(change));
  }
}

}  // namespace certherd::dns
