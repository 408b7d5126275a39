#include "pebble_log.hpp"

#include <fstream>
#include <string_view>

namespace certherd::e2e {
namespace {

/// What stands between the two texts; empty when one of them is missing.
std::string between(std::string_view line, std::string_view before, std::string_view after) {
  const auto found = line.find(before);
  if (found == std::string_view::npos) return {};
  line.remove_prefix(found + before.size());
  const auto end = line.find(after);
  return end == std::string_view::npos ? std::string() : std::string(line.substr(0, end));
}

}  // namespace

PebbleLog read_pebble_log(const std::filesystem::path& file) {
  PebbleLog log;
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) {
    line += '\n';
    if (auto order = between(line, "Added order \"", "\""); !order.empty()) {
      log.placed.insert(std::move(order));
    }
    if (auto order = between(line, "order ", " set INVALID"); !order.empty()) {
      log.invalid.insert(std::move(order));
    }
    if (auto order = between(line, "Order ", " is fully authorized"); !order.empty()) {
      log.finalized.insert(std::move(order));
    }
    if (auto serial = between(line, "Issued certificate serial ", " for order "); !serial.empty()) {
      log.issued.emplace(between(line, " for order ", "\n"), std::move(serial));
    }
  }
  return log;
}

}  // namespace certherd::e2e
