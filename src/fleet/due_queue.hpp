#pragma once

#include <functional>
#include <queue>
#include <utility>
#include <vector>

#include "base/time.hpp"

namespace certherd::fleet {

/// Who is due when, the earliest first. What is put off or forgotten stays in it until it comes up:
/// its owner has the true time, and tells by `holds` whether an entry is still one. A heap and no
/// tree, for a fleet of a hundred thousand moves each of its entries several times a day.
template <typename Key>
class DueQueue {
 public:
  using Entry = std::pair<Time, Key>;

  void add(Time when, Key key) { entries_.emplace(when, std::move(key)); }

  /// The first for which holds(entry); null: there is none. Good until something is added.
  template <typename Holds>
  const Entry* first(const Holds& holds) {
    while (!entries_.empty() && !holds(entries_.top())) entries_.pop();
    return entries_.empty() ? nullptr : &entries_.top();
  }

  /// Takes out what first() has given.
  void drop_first() { entries_.pop(); }

 private:
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> entries_;
};

}  // namespace certherd::fleet
