#include "runtime/find_program.hpp"

#include <unistd.h>

#include <cstdlib>
#include <string_view>
#include <system_error>

namespace certherd::runtime {
namespace {

// Where execvp(3) looks without a PATH.
constexpr std::string_view usual_path = "/bin:/usr/bin";

bool is_file(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path, ignored);
}

}  // namespace

Result<std::filesystem::path> find_program(const std::string& name) {
  const std::string op = "find " + name;
  if (name.empty()) return fail(Error::Kind::misconfigured, "find a program", "it has no name");
  std::filesystem::path found;
  if (name.find('/') != std::string::npos) {
    if (is_file(name)) found = name;
  } else {
    const char* path = std::getenv("PATH");
    std::string_view folders = path != nullptr ? path : usual_path;
    while (found.empty()) {
      const auto end = folders.find(':');
      const auto candidate = std::filesystem::path(folders.substr(0, end)) / name;
      if (is_file(candidate) && ::access(candidate.c_str(), X_OK) == 0) found = candidate;
      if (end == std::string_view::npos) break;
      folders.remove_prefix(end + 1);
    }
  }
  if (found.empty()) return fail(Error::Kind::misconfigured, op, "there is no such program");
  if (::access(found.c_str(), X_OK) != 0) {
    return fail(Error::Kind::misconfigured, op,
                "it may not be executed: chmod +x, or run as a "
                "user who may");
  }
  return found;
}

}  // namespace certherd::runtime
