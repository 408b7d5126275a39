#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "demo/pebble.hpp"

namespace certherd::demo {
namespace {

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

bool is_program(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path, ignored) && ::access(path.c_str(), X_OK) == 0;
}

}  // namespace

Result<std::filesystem::path> find_pebble() {
  if (const auto named = environment("CERTHERD_PEBBLE"); !named.empty()) {
    if (is_program(named)) return std::filesystem::path(named);
    return fail(Error::Kind::misconfigured, "find pebble",
                fmt::format("CERTHERD_PEBBLE={} is no program", named));
  }
  for (auto rest = environment("PATH"); !rest.empty();) {
    const auto colon = rest.find(':');
    const std::filesystem::path folder = rest.substr(0, colon);
    if (!folder.empty() && is_program(folder / "pebble")) return folder / "pebble";
    rest = colon == std::string_view::npos ? std::string_view() : rest.substr(colon + 1);
  }
  if (const auto home = environment("HOME"); !home.empty()) {
    auto installed = std::filesystem::path(home) / ".local/share/certherd/bin/pebble";
    if (is_program(installed)) return installed;
  }
  return fail(Error::Kind::misconfigured, "find pebble",
              "the test CA Pebble is not installed: run scripts/setup");
}

}  // namespace certherd::demo
