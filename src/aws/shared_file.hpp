#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "aws/settings.hpp"
#include "base/result.hpp"

namespace certherd::aws {

/// What is in one of the two files that all AWS SDKs share.
struct SharedFile {
  std::map<std::string, Profile> profiles;
  std::map<std::string, std::map<std::string, Profile>> services;  ///< see Settings
};

enum class SharedFileKind {
  config,      ///< "[profile x]", "[default]", "[services x]"; other sections are left alone
  credentials  ///< "[x]"
};

/// Reads it as the AWS SDKs and Tools Reference Guide tells ("shared config and credentials
/// files"): keys in any case; comments are lines that begin with # or ;, and what follows one of
/// these after a space; an indented line belongs to the key above. Later values win. Errors:
/// misconfigured, naming `path` and the line.
Result<SharedFile> parse_shared_file(std::string_view text, SharedFileKind kind,
                                     const std::filesystem::path& path);

}  // namespace certherd::aws
