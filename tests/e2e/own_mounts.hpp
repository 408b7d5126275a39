#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

namespace certherd::e2e {

/// File systems that only this process and its children see, and that end with this object: full
/// disks and read-only ones that also root cannot write to.
class OwnMounts {
 public:
  /// Throws std::runtime_error with the remedy where the machine does not allow it.
  OwnMounts();
  ~OwnMounts();
  OwnMounts(const OwnMounts&) = delete;
  OwnMounts& operator=(const OwnMounts&) = delete;

  /// A disk of that size on the folder, which keeps what is in it.
  void small_disk(const std::filesystem::path& folder, std::size_t bytes);
  /// Takes all the room that is left on it; free_space() gives it back.
  static void fill(const std::filesystem::path& folder);
  static void free_space(const std::filesystem::path& folder);

  /// Shows a file in the place of another one.
  void show_at(const std::filesystem::path& file, const std::filesystem::path& place);

  void make_read_only(const std::filesystem::path& folder);
  void make_writable(const std::filesystem::path& folder);

 private:
  std::vector<std::filesystem::path> mounted_;
};

}  // namespace certherd::e2e
