#include "dns/change_queue.hpp"

#include <algorithm>
#include <iterator>

namespace certherd::dns {
namespace {

void join(QueuedChange& into, QueuedChange from) {
  into.due = std::min(into.due, from.due);
  into.attempts = std::max(into.attempts, from.attempts);
  std::ranges::move(from.unrecorded, std::back_inserter(into.unrecorded));
  std::ranges::move(from.requests, std::back_inserter(into.requests));
}

}  // namespace

void ChangeRequest::succeed(const Ticket& batch) {
  ticket = batch;
  answer_one();
}

void ChangeRequest::fail(Error reason) {
  if (!error) {
    error = std::move(reason);
  } else if (*error != reason) {
    std::ranges::move(reason.causes, std::back_inserter(error->causes));
  }
  answer_one();
}

void ChangeRequest::supersede() {
  superseded = true;
  answer_one();
}

void ChangeRequest::abandon() {
  abandoned = true;
  done.notify_all();
}

void ChangeRequest::answer_one() {
  --outstanding;
  if (outstanding == 0) done.notify_all();
}

void ChangeQueue::add(QueuedChange change) {
  change.position = next_position_++;
  restore(std::move(change));
}

void ChangeQueue::restore(QueuedChange change) {
  const auto key = change.key();
  if (auto queued = extract(key)) {
    if (queued->position < change.position) std::swap(*queued, change);
    join(change, std::move(*queued));
  }
  positions_.emplace(key, change.position);
  changes_.emplace(change.position, std::move(change));
}

void ChangeQueue::take(BatchLimits limits, std::vector<QueuedChange>& batch) {
  const auto octets_of = [&limits](const QueuedChange& queued) {
    return queued.change.value.text().size() + limits.octets_beside;
  };
  std::size_t octets = 0;
  for (const auto& taken : batch) octets += octets_of(taken);

  auto end = changes_.begin();
  auto group_begin = end;
  std::size_t count = 0;
  for (; end != changes_.end(); ++end) {
    const auto size = octets_of(end->second);
    // A value that is too large by itself goes alone: it is for the provider to refuse it.
    const bool alone = batch.empty() && count == 0;
    if (!alone &&
        (batch.size() + count + 1 > limits.changes || octets + size > limits.value_octets)) {
      break;
    }
    if (end->second.group != group_begin->second.group) group_begin = end;
    octets += size;
    ++count;
  }
  const bool splits_a_call =
      end != changes_.end() && count > 0 && end->second.group == group_begin->second.group;
  if (splits_a_call && group_begin != changes_.begin()) end = group_begin;

  for (auto next = changes_.begin(); next != end;) {
    positions_.erase(next->second.key());
    batch.push_back(std::move(next->second));
    next = changes_.erase(next);
  }
}

std::optional<QueuedChange> ChangeQueue::extract(const ChangeKey& key) {
  const auto position = positions_.find(key);
  if (position == positions_.end()) return std::nullopt;
  auto node = changes_.extract(position->second);
  positions_.erase(position);
  return std::move(node.mapped());
}

Time ChangeQueue::due() const {
  Time first = changes_.begin()->second.due;
  for (const auto& [position, change] : changes_) first = std::min(first, change.due);
  return first;
}

void ChangeQueue::add_keys(std::set<ChangeKey>& keys) const {
  for (const auto& [key, position] : positions_) keys.insert(key);
}

std::vector<QueuedChange> ChangeQueue::take_all() {
  std::vector<QueuedChange> all;
  all.reserve(changes_.size());
  for (auto& [position, change] : changes_) all.push_back(std::move(change));
  changes_.clear();
  positions_.clear();
  return all;
}

}  // namespace certherd::dns
