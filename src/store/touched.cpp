#include "store/touched.hpp"

#include <algorithm>

namespace certherd::store {
namespace {

/// So many are told one by one whatever the inventory's size.
constexpr std::size_t always_few = 64;
/// Of a larger inventory, the part above which reading all of it is cheaper.
constexpr std::size_t part = 8;
/// Ids count from 1, and so are about as many as there ever were domains. Where there
/// are more, all is told.
constexpr std::uint64_t most_places = 1U << 22U;

}  // namespace

void Touched::note_one(DomainId domain) {
  const auto id = static_cast<std::uint64_t>(static_cast<std::int64_t>(domain));
  if (id == 0 || id >= most_places) {
    unnoted_ = writes_;
    return;
  }
  const auto place = static_cast<std::uint32_t>(id);
  if (place >= notes_.size()) notes_.resize(place + 1);
  auto& note = notes_[place];
  if (note.write != 0) {
    notes_[note.before].after = note.after;
    notes_[note.after].before = note.before;
  }
  const auto last = notes_[0].before;
  note = {.write = writes_, .before = last, .after = 0};
  notes_[last].after = place;
  notes_[0].before = place;
}

void Touched::note(DomainId domain) {
  const std::lock_guard lock(mutex_);
  ++writes_;
  note_one(domain);
}

void Touched::note(const std::vector<DomainId>& domains) {
  const std::lock_guard lock(mutex_);
  ++writes_;
  for (const auto domain : domains) note_one(domain);
}

Mark Touched::mark() const {
  const std::lock_guard lock(mutex_);
  return {.of = self_, .write = writes_};
}

std::optional<std::vector<DomainId>> Touched::since(const Mark& mark, const Mark& now) const {
  if (mark.of != self_ || mark.others != now.others) return std::nullopt;
  const std::size_t most = std::max(always_few, mark.size / part);
  std::vector<DomainId> domains;
  {
    const std::lock_guard lock(mutex_);
    if (unnoted_ > mark.write) return std::nullopt;
    for (auto place = notes_[0].before; notes_[place].write > mark.write;
         place = notes_[place].before) {
      if (domains.size() == most) return std::nullopt;
      domains.push_back(DomainId{place});
    }
  }
  std::ranges::sort(domains);
  return domains;
}

}  // namespace certherd::store
