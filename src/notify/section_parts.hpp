#pragma once

#include <filesystem>
#include <string>

#include "base/secret.hpp"
#include "config/secret_source.hpp"
#include "config/section.hpp"

namespace certherd::notify {

/// `timeout`: how long one exchange may take, at most as Notifier::send() promises.
Duration read_timeout(config::Section& section, Duration usual);

/// `trust`: where further roots stand; empty: nowhere.
std::filesystem::path read_trust(config::Section& section, const std::filesystem::path& folder);

/// What stands there; an empty text for an empty path. Errors: misconfigured.
Result<std::string> load_trust(const std::filesystem::path& path);

/// A secret as a text without the white space around it, with which most editors end a file.
/// Errors: misconfigured.
Result<Secret<std::string>> read_trimmed(const config::SecretSource& source);

}  // namespace certherd::notify
