#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
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
  struct Note {
    DomainId domain{};
    std::uint64_t write = 0;
  };

  void note_one(DomainId domain);

  mutable std::mutex mutex_;
  std::uint64_t writes_ = 0;
  std::list<Note> notes_;  // each domain once, what was touched last at the end
  std::unordered_map<DomainId, std::list<Note>::iterator> of_domain_;
  std::shared_ptr<const void> self_ = std::make_shared<int>();
};

}  // namespace certherd::store
