#pragma once

#include <filesystem>
#include <string_view>

namespace certherd::fuzz {

/// A file in memory, for what reads only files.
class File {
 public:
  File();
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File();

  /// Replaces its content.
  void write(std::string_view content);
  const std::filesystem::path& path() const { return path_; }

 private:
  int descriptor_;
  std::filesystem::path path_;
};

}  // namespace certherd::fuzz
