#include "store/touched.hpp"

#include <algorithm>

namespace certherd::store {
namespace {

/// So many are told one by one whatever the inventory's size.
constexpr std::size_t always_few = 64;
/// Of a larger inventory, the part above which reading all of it is cheaper.
constexpr std::size_t part = 8;

}  // namespace

void Touched::note_one(DomainId domain) {
  const Note note{.domain = domain, .write = writes_};
  const auto [place, fresh] = of_domain_.try_emplace(domain);
  if (fresh) {
    place->second = notes_.insert(notes_.end(), note);
  } else {
    *place->second = note;
    notes_.splice(notes_.end(), notes_, place->second);
  }
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
    for (auto note = notes_.rbegin(); note != notes_.rend() && note->write > mark.write; ++note) {
      if (domains.size() == most) return std::nullopt;
      domains.push_back(note->domain);
    }
  }
  std::ranges::sort(domains);
  return domains;
}

}  // namespace certherd::store
