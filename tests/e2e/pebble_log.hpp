#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>

namespace certherd::e2e {

/// What a Pebble did, by its own log. Orders go by the last part of their URL.
struct PebbleLog {
  std::set<std::string> placed;                    ///< orders
  std::set<std::string> invalid;                   ///< orders whose validation failed
  std::set<std::string> finalized;                 ///< orders of which a certificate was asked
  std::multimap<std::string, std::string> issued;  ///< order to serial, as the store writes it
};

PebbleLog read_pebble_log(const std::filesystem::path& file);

}  // namespace certherd::e2e
