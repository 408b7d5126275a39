#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "app/app.hpp"

namespace certherd::app {

/// What a reseal came to.
struct Resealed {
  int texts = 0;              ///< how many have changed
  std::string key_id;         ///< of the seal key from now on
  std::string former_key_id;  ///< of the one before; the same when only old texts were sealed anew
  std::filesystem::path former_key;  ///< where that one is kept; empty when it stayed
};

/// Seals everything in the store anew, under a new key where the config names a file, which then
/// takes that file's place. Each step may be the last one before a crash: what the store holds is
/// always sealed under keys that open_seal_keys() finds, and another Reseal goes on with the same
/// new key. Only while nobody executes: see alone(). Blocks on small files.
class Reseal {
 public:
  /// `new_key` is a file with the new key; without it one is drawn, or, where the config names old
  /// seal keys, everything is sealed under the config's seal key.
  Reseal(App& app, std::optional<std::filesystem::path> new_key);

  // The steps, in their order.

  /// Decides on the new key, and writes it beside the present one. Errors: misconfigured (the key
  /// comes from the environment, or is no key, or the same), conflict (another new one waits).
  Status prepare();
  /// One transaction of the store.
  Task<Status> rewrite();
  /// Keeps the present key under another name too.
  Status keep_former();
  /// Lets the new key take the place of the present one, and reads it.
  Status switch_keys();

  const Resealed& result() const { return result_; }

 private:
  Result<Secret<std::string>> wanted_key() const;
  bool changes_key() const { return result_.key_id != result_.former_key_id; }

  App& app_;
  std::optional<std::filesystem::path> new_key_;
  std::optional<crypto::Sealer> sealer_;  ///< seals under the new key, opens all
  Resealed result_;
};

/// All steps.
Task<Result<Resealed>> reseal(App* app, std::optional<std::filesystem::path> new_key);

}  // namespace certherd::app
