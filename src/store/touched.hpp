#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "model/identifiers.hpp"
#include "store/mark.hpp"

namespace certherd::store {

/// Which domains the writes of one store object have touched, and in which order: from that,
/// Store::domains_since() tells what is new. Usable from any thread.
class Touched {
 public:
  /// To be called once a write can be read, or may be: what is noted before a reader took its mark
  /// has to be in what it reads afterwards.
  void note(DomainId domain);
  void note(const std::vector<DomainId>& domains);

  /// The mark of this moment, for a reading that only begins now.
  Mark mark() const;

  /// The domains touched since then, by id. Nothing when all has to be told: the mark is of another
  /// object or of none, another process has written since (`now.others` differs), or there are too
  /// many for telling them one by one to be cheaper.
  std::optional<std::vector<DomainId>> since(const Mark& mark, const Mark& now) const;

 private:
  // A ring of all that were ever touched, by their ids: what was touched last stands before the
  // place 0, which is no domain's. A note is one line of the cache, and needs no search.
  struct Note {
    std::uint64_t write = 0;
    std::uint32_t before = 0;
    std::uint32_t after = 0;
  };

  void note_one(DomainId domain);

  mutable std::mutex mutex_;
  std::uint64_t writes_ = 0;
  std::uint64_t unnoted_ = 0;  // the last write of a domain that has no place in the ring
  std::vector<Note> notes_ = {Note()};
  std::shared_ptr<const void> self_ = std::make_shared<int>();
};

}  // namespace certherd::store
