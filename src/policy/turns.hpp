#pragma once

#include <algorithm>
#include <map>

#include "base/time.hpp"

namespace certherd::policy {

/// Tells those who find an allowance empty when to come back, each a moment of his own, so that
/// they do not all come for the first unit. In the order in which they ask; who was told before,
/// and was beaten to it, goes before those who were not.
template <typename Key>
class Turns {
 public:
  /// `from` is when the next unit of `key` will be there, and `interval` until one more is.
  Time next(const Key& key, Time from, Duration interval, bool told_before) {
    auto& turn = (told_before ? again_ : first_)[key];
    const Time mine = std::max(turn, from);
    turn = mine + interval;
    return mine;
  }

 private:
  std::map<Key, Time> first_;
  std::map<Key, Time> again_;
};

}  // namespace certherd::policy
