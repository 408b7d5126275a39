#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/secret.hpp"
#include "vault/secrets_manager/api.hpp"

namespace certherd::vault::secrets_manager {

/// Secrets whose versions belong together: one version id names a value in each of them.
///
/// Who reads the last secret's current version and then the others by its version id always gets
/// values that belong together. And wherever a store() breaks off, a set that was complete before
/// still is: there is a version id that holds AWSCURRENT or AWSPREVIOUS in each secret.
class SecretSet {
 public:
  SecretSet(Api& api, std::string kms_key_id) : api_(api), kms_key_id_(std::move(kms_key_id)) {}

  struct Entry {
    std::string name;
    Secret<std::string> value;
  };

  /// Makes the version current in each secret, in the order of the entries, and gives their ARNs.
  /// All of it may be repeated. Errors: conflict (a secret is there that is not tagged as ours, or
  /// somebody else goes on moving labels), rejected (the version is there with another value),
  /// those of explained().
  Task<Result<std::vector<std::string>>> store(std::vector<Entry> entries, std::string version_id,
                                               Tags tags);

  /// All of them at once. Errors: those of explained().
  Task<Result<std::vector<std::optional<Description>>>> look(std::vector<std::string> names);

 private:
  struct Work;
  enum class Turn {
    done,
    look_again,  ///< somebody else has changed something since we looked
  };

  Task<Result<Turn>> bring_about(Work* work);
  Task<Result<Turn>> take_possession(Work* work);
  Task<Result<Turn>> settle_former(Work* work);
  Task<Result<Turn>> stage(Work* work);
  Task<Result<Turn>> create_missing(Work* work);
  Task<Result<Turn>> make_current(Work* work);
  Task<Result<Turn>> move(Work* work, std::size_t index, std::string to);
  Task<Result<Turn>> tag(Work* work);

  Task<void> describe_into(std::string name, Answer<std::optional<Description>>* answer);
  Task<void> stage_into(Work* work, std::size_t index, Result<Turn>* result);
  Task<Result<Turn>> compare(Work* work, std::size_t index);
  Task<void> tag_into(Work* work, std::size_t index, Result<Turn>* result);

  Api& api_;
  std::string kms_key_id_;
};

}  // namespace certherd::vault::secrets_manager
