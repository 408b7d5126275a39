#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.hpp"

namespace certherd {

/// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor();

  int get() const { return number_; }
  bool ok() const { return number_ >= 0; }

 private:
  int number_;
};

/// Who may use what is created, and whose it is.
struct Access {
  mode_t file_mode = 0600;
  std::optional<uid_t> user;  ///< nothing: ours
  std::optional<gid_t> group;

  /// Reading a file in a folder takes the right to pass through it.
  mode_t folder_mode() const {
    return 0700U | ((file_mode & 0040U) != 0 ? 0010U : 0U) |
           ((file_mode & 0004U) != 0 ? 0001U : 0U);
  }
};

/// Reads "user", "user:group" or their numbers into `access`. Errors: misconfigured.
Result<Access> access_for(unsigned file_mode, const std::string& owner);

/// An open folder. What is done in it cannot be led elsewhere by a link that somebody put into
/// its path: it may belong to a user with fewer rights than ours. Names are single components.
/// Errors everywhere: as file_error() maps them.
class Folder {
 public:
  /// Links in `path` are followed: they are the administrator's.
  static Result<Folder> open(const std::filesystem::path& path);
  /// The same, making it and the folders above it where they are missing.
  static Result<Folder> make(const std::filesystem::path& path, const Access& access);

  Result<Folder> child(const std::string& name) const;
  Result<Folder> make_child(const std::string& name, const Access& access) const;

  /// Creates or replaces a file at one instant; its content is on the disk when this returns.
  Status write(const std::string& name, std::string_view content, const Access& access) const;

  /// Errors: rejected when it is longer than `limit`.
  Result<std::string> read(const std::string& name, std::size_t limit) const;

  /// Where the link `name` points; nothing when there is none.
  /// Errors: misconfigured when it is no link.
  Result<std::optional<std::string>> link(const std::string& name) const;

  /// Makes the link `name` in `destination`, by way of one in this folder, at one instant.
  Status switch_link(const std::string& target, const Folder& destination,
                     const std::string& name) const;

  /// Gives a file in it another name, in the place of what is called so, at one instant.
  Status rename(const std::string& from, const std::string& to) const;

  Status remove(const std::string& name) const;

  /// Removes all files in it.
  Status clear() const;

  /// Puts the names in it on the disk.
  Status sync() const;

  /// Keeps others that call this out until the lock is closed.
  Result<Descriptor> lock() const;

 private:
  Folder(Descriptor descriptor, std::filesystem::path path)
      : descriptor_(std::move(descriptor)), path_(std::move(path)) {}

  Descriptor descriptor_;
  std::filesystem::path path_;
};

}  // namespace certherd
