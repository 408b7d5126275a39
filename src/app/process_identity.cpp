#include "app/process_identity.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string_view>
#include <vector>

namespace certherd::app {
namespace {

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// Field 22 of /proc/PID/stat (proc(5)): the start time in clock ticks since boot. The command in
// field 2 may hold anything, but no further ')' comes after it.
std::string start_time(std::string_view pid) {
  const auto line = first_line(fmt::format("/proc/{}/stat", pid));
  auto at = line.rfind(')');
  if (at == std::string::npos) return {};
  // Field 3: a zombie (Z) or dead (X) process has ended, whether or not its parent looked yet.
  const char state = line.size() > at + 2 ? line[at + 2] : 'X';
  if (state == 'Z' || state == 'X') return {};
  for (int field = 2; field < 22; ++field) {
    at = line.find(' ', at + 1);
    if (at == std::string::npos) return {};
  }
  return line.substr(at + 1, line.find(' ', at + 1) - at - 1);
}

// What must be equal for two process ids to be comparable.
std::string scope() {
  std::error_code failure;
  const auto space = std::filesystem::read_symlink("/proc/self/ns/pid", failure).string();
  return fmt::format("{}/{}", first_line("/proc/sys/kernel/random/boot_id"), space);
}

std::string own_identity() {
  const auto pid = std::to_string(getpid());
  return fmt::format("{}/{}/{}", scope(), pid, start_time(pid));
}

struct Parts {
  std::string_view scope;
  std::string_view pid;
  std::string_view started;
};

std::optional<Parts> split(std::string_view identity) {
  const auto last = identity.rfind('/');
  if (last == std::string_view::npos || last == 0) return std::nullopt;
  const auto middle = identity.rfind('/', last - 1);
  if (middle == std::string_view::npos) return std::nullopt;
  return Parts{.scope = identity.substr(0, middle),
               .pid = identity.substr(middle + 1, last - middle - 1),
               .started = identity.substr(last + 1)};
}

}  // namespace

std::string process_identity() {
  static const std::string identity = own_identity();
  return identity;
}

bool is_dead(const std::string& identity) {
  const auto parts = split(identity);
  if (!parts) return false;
  // Another boot of this machine cannot be told from another machine.
  if (parts->scope != scope()) return false;
  return start_time(parts->pid) != parts->started;
}

std::string describe_process(const std::string& identity) {
  const auto parts = split(identity);
  return parts ? fmt::format("process {}", parts->pid) : identity;
}

}  // namespace certherd::app
