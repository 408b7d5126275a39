#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/secret.hpp"

namespace certherd {

/// One file to write: name and content.
struct FileContent {
  std::string name;
  Secret<std::string> content;
};

/// A folder whose content changes at one instant: `<root>/<name>` is a link to
/// `<root>/.versions/<name>/<version>`, replaced by a rename. Blocks on the disk: never call it
/// on the loop.
class VersionedFolder {
 public:
  struct Options {
    std::filesystem::path root;
    unsigned file_mode = 0600;
    std::string owner;  ///< "user" or "user:group"; empty: ours
  };
  explicit VersionedFolder(Options options) : options_(std::move(options)) {}

  /// The version that `name` points to; nothing when there is none.
  /// Errors: denied, misconfigured (something that is not ours stands there).
  Result<std::optional<std::string>> current(const std::string& name) const;

  /// Writes and syncs all files, then switches. False when `version` was current already with
  /// the same content. A version of that name left by a crash is written anew.
  /// Errors: denied, misconfigured (no such owner, not a folder, read-only), rejected (current
  /// with another content), transient (disk full).
  Result<bool> switch_to(const std::string& name, const std::string& version,
                         const std::vector<FileContent>& files) const;

  /// One file of the current version, at most 1 MiB. Errors: not_found, denied.
  Result<Secret<std::string>> read(const std::string& name, const std::string& file) const;

  /// Takes the link away; the versions stay. Harmless when it is gone.
  Status remove(const std::string& name) const;

  /// Whether it could be written to. Errors: as switch_to().
  Status check() const;

 private:
  Options options_;
};

/// Folder name of a domain: a leading `*.` becomes `_wildcard.`.
std::string folder_name(std::string_view domain);

/// Maps errno to an Error with the path and what to do about it.
Error file_error(std::string op, const std::filesystem::path& path, int error_number);

/// Writes a new 0600 file (by creation), synced. Errors: conflict when it exists, else as above.
Status create_private_file(const std::filesystem::path& path, std::string_view content);

/// Reads a whole file of at most `limit` bytes. Errors: not_found, denied, rejected (too large).
Result<std::string> read_file(const std::filesystem::path& path, std::size_t limit);

}  // namespace certherd
