#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "deploy/fastly/api.hpp"
#include "runtime/wakeup.hpp"

namespace certherd::deploy::fastly {

/// The private keys at Fastly, which can only be listed as a whole: read once and kept up to date
/// by what we do ourselves. It is read anew when a write has ended in doubt, and when it is old.
class KeyIndex {
 public:
  explicit KeyIndex(Api& api) : api_(api), changed_(api.loop()) {}

  /// Sees to it that this key is there, under whatever name; uploads it otherwise. Of several who
  /// ask for the same one, one does. Errors: the Api's.
  Task<Status> ensure(std::string public_key_sha1, Secret<std::string> pem, std::string name);
  /// All of that name. Errors: the Api's.
  Task<Result<std::vector<Key>>> named(std::string name);

  /// Errors: the Api's.
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
  std::set<std::string> uploading_;  ///< SHA-1 of those
  bool loading_ = false;
  std::optional<Error> failure_;  ///< of the last time that it was read
  runtime::Wakeup changed_;
};

}  // namespace certherd::deploy::fastly
