#include "own_mounts.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <stdexcept>
#include <string>
#include <system_error>

namespace certherd::e2e {
namespace {

namespace fs = std::filesystem;

constexpr auto filler = "filler";

void check(int result, const std::string& what) {
  if (result == 0) return;
  throw std::runtime_error(fmt::format("{}: {}", what, std::generic_category().message(errno)));
}

void write_text(const char* file, const std::string& text) {
  std::ofstream stream(file);
  stream << text;
  stream.close();
  if (!stream) throw std::runtime_error(fmt::format("cannot write {}", file));
}

}  // namespace

OwnMounts::OwnMounts() {
  // Root needs no user namespace, in which it would lose what it may do elsewhere.
  const auto user = geteuid();
  const auto group = getegid();
  check(unshare(user == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER),
        "a mount namespace of its own (run the tests as root, or allow user namespaces: sysctl "
        "kernel.unprivileged_userns_clone=1 and user.max_user_namespaces)");
  if (user != 0) {
    write_text("/proc/self/setgroups", "deny");
    write_text("/proc/self/uid_map", fmt::format("{0} {0} 1", user));
    write_text("/proc/self/gid_map", fmt::format("{0} {0} 1", group));
  }
  check(mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "keep mounts to ourselves");
}

OwnMounts::~OwnMounts() {
  for (auto folder = mounted_.rbegin(); folder != mounted_.rend(); ++folder) {
    umount2(folder->c_str(), MNT_DETACH);
  }
}

void OwnMounts::small_disk(const fs::path& folder, std::size_t bytes) {
  fs::path kept = folder;
  kept += ".kept";
  if (fs::exists(folder)) {
    fs::rename(folder, kept);
  }
  fs::create_directories(folder);
  check(mount("tmpfs", folder.c_str(), "tmpfs", 0, fmt::format("size={},mode=700", bytes).c_str()),
        fmt::format("a small disk at {}", folder.string()));
  mounted_.push_back(folder);
  if (!fs::exists(kept)) return;
  fs::copy(kept, folder, fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  fs::remove_all(kept);
}

void OwnMounts::fill(const fs::path& folder) {
  const int file = open((folder / filler).c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  check(file < 0 ? -1 : 0, "fill a disk");
  // In ever smaller pieces, to the last byte.
  for (std::size_t size = 1U << 16U; size > 0;) {
    const std::string bytes(size, '.');
    if (write(file, bytes.data(), bytes.size()) <= 0) size /= 2;
  }
  close(file);
}

void OwnMounts::free_space(const fs::path& folder) { fs::remove(folder / filler); }

void OwnMounts::show_at(const fs::path& file, const fs::path& place) {
  check(mount(file.c_str(), place.c_str(), nullptr, MS_BIND, nullptr),
        fmt::format("show {} at {}", file.string(), place.string()));
  mounted_.push_back(place);
}

void OwnMounts::make_read_only(const fs::path& folder) {
  const auto what = fmt::format("make {} read-only", folder.string());
  check(mount(folder.c_str(), folder.c_str(), nullptr, MS_BIND, nullptr), what);
  check(mount(nullptr, folder.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr), what);
  mounted_.push_back(folder);
}

void OwnMounts::make_writable(const fs::path& folder) {
  check(umount2(folder.c_str(), MNT_DETACH), fmt::format("make {} writable", folder.string()));
  std::erase(mounted_, folder);
}

}  // namespace certherd::e2e
