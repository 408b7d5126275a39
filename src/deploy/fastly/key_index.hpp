#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "deploy/fastly/api.hpp"
#include "runtime/wakeup.hpp"

namespace certherd::deploy::fastly {

/// The private keys at Fastly, which can only be listed as a whole: read once and kept up to date
/// by what we do ourselves. It is read anew when a write has ended in doubt, and when it is old.
class KeyIndex {
 public:
  explicit KeyIndex(Api& api) : api_(api), loaded_(api.loop()) {}

  /// The one with this public half. Errors: the Api's.
  Task<Result<std::optional<Key>>> find(std::string public_key_sha1);
  /// All of that name. Errors: the Api's.
  Task<Result<std::vector<Key>>> named(std::string name);

  /// Errors: the Api's.
  Task<Result<Key>> add(Secret<std::string> pem, std::string name);
  Task<Status> remove(Key key);

  /// What is known may be wrong.
  void doubt() { fresh_until_ = Time{}; }

 private:
  Task<Status> load();
  void put(Key key);

  Api& api_;
  std::map<std::string, Key> keys_;  ///< by SHA-1
  std::multimap<std::string, std::string> sha1_by_name_;
  std::vector<Key> added_meanwhile_;  ///< while it was being read
  Time fresh_until_{};
  bool loading_ = false;
  runtime::Wakeup loaded_;
};

}  // namespace certherd::deploy::fastly
