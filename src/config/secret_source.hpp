#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/secret.hpp"
#include "config/section.hpp"

namespace certherd::config {

/// Where a secret is to be read from: it never stands in the config itself. One of both is set.
struct SecretSource {
  std::string env;
  std::filesystem::path file;
  std::string where{};  ///< "FILE:LINE: section.key" for errors; empty when it was not in a config

  /// Reads it. Errors: misconfigured, naming the variable or file that is missing, or a file that
  /// others may read.
  Result<Secret<std::string>> read() const;
};

/// Reads `{ env = "NAME" }` or `{ file = "PATH" }` under a key; a relative path is relative to
/// `folder`. Nothing where the key is not there. What is wrong is a fault.
std::optional<SecretSource> read_secret_source(Section& section, std::string_view key,
                                               const std::filesystem::path& folder);
/// The same of a table that holds nothing else; `where` as in SecretSource.
SecretSource read_secret_table(Section& table, std::string where,
                               const std::filesystem::path& folder);

}  // namespace certherd::config
