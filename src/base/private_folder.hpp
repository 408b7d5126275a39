#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/folder.hpp"
#include "base/versioned_folder.hpp"

namespace certherd {

/// Files that a program is to read and nobody else: 0600 in a new folder 0700, in memory where
/// there is a file system in memory (/dev/shm), otherwise where temporary files are. They go with
/// this object. Blocks on the disk.
class PrivateFolder {
 public:
  /// Errors: as file_error() maps them.
  static Result<PrivateFolder> make(const std::vector<FileContent>& files);
  PrivateFolder(PrivateFolder&& other) noexcept = default;
  PrivateFolder& operator=(PrivateFolder&& other) = delete;
  ~PrivateFolder() { remove(); }

  const std::filesystem::path& path() const { return path_; }

  /// Harmless when it is gone. What cannot be removed is left to remove_abandoned().
  void remove();

  /// Removes the folders of our user that were left by processes that were killed.
  static void remove_abandoned();

 private:
  PrivateFolder(std::filesystem::path path, Descriptor lock)
      : path_(std::move(path)), lock_(std::move(lock)) {}

  static Result<PrivateFolder> make_empty(const std::filesystem::path& place);

  std::filesystem::path path_;
  Descriptor lock_;  // of the folder: held, it is in use; the kernel lets go of it with the process
};

}  // namespace certherd
