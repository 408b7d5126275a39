#pragma once

#include <string>

#include "base/folder.hpp"
#include "base/versioned_folder.hpp"

namespace certherd::deploy {

/// Remembers on the disk which versions were switched to and not yet activated by a reload, so
/// that neither a crash nor a failed reload makes an old certificate pass for a new one:
/// `<root>/.reload-pending/<folder name>@<version>`. Blocks on the disk.
class ActivationMarks {
 public:
  explicit ActivationMarks(VersionedFolder::Options options) : options_(std::move(options)) {}

  /// Whether that version still waits for its reload.
  Result<bool> is_set(const std::string& name, const std::string& version) const;

  /// On the disk when it returns. Harmless when it is set already.
  Status set(const std::string& name, const std::string& version) const;

  /// Harmless when it is not set.
  Status clear(const std::string& name, const std::string& version) const;

 private:
  VersionedFolder::Options options_;
};

}  // namespace certherd::deploy
