#include "base/folder.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <limits>
#include <memory>
#include <vector>

#include "base/file_bytes.hpp"
#include "base/versioned_folder.hpp"

namespace certherd {
namespace {

constexpr int open_folder = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

// Names that never clash with ours, which may not begin with a dot.
constexpr const char* unfinished_file = ".new";
constexpr const char* unfinished_link = ".link";

/// Ownership first, then the bits that the umask took away: the file is never wider than asked.
int grant(int descriptor, mode_t mode, const Access& access) {
  const uid_t user = access.user.value_or(std::numeric_limits<uid_t>::max());
  const gid_t group = access.group.value_or(std::numeric_limits<gid_t>::max());
  if ((access.user || access.group) && ::fchown(descriptor, user, group) != 0) return errno;
  struct stat status{};
  if (::fstat(descriptor, &status) != 0) return errno;
  if ((status.st_mode & 07777U) != mode && ::fchmod(descriptor, mode) != 0) return errno;
  return 0;
}

std::optional<unsigned> number_in(const std::string& text) {
  unsigned value = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || rest != end) return std::nullopt;
  return value;
}

// Large enough for any account in practice; the call says so when it is not.
using NameBuffer = std::array<char, 16384>;

std::optional<uid_t> user_named(const std::string& name) {
  passwd entry{};
  passwd* found = nullptr;
  NameBuffer buffer{};
  if (::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0) return {};
  return found != nullptr ? std::optional<uid_t>(found->pw_uid) : number_in(name);
}

std::optional<gid_t> group_named(const std::string& name) {
  group entry{};
  group* found = nullptr;
  NameBuffer buffer{};
  if (::getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0) return {};
  return found != nullptr ? std::optional<gid_t>(found->gr_gid) : number_in(name);
}

}  // namespace

Result<Access> access_for(unsigned file_mode, const std::string& owner) {
  Access access;
  access.file_mode = file_mode;
  if (owner.empty()) return access;

  const auto colon = owner.find(':');
  access.user = user_named(owner.substr(0, colon));
  if (colon != std::string::npos) access.group = group_named(owner.substr(colon + 1));
  if (!access.user || (colon != std::string::npos && !access.group)) {
    return fail(Error::Kind::misconfigured, "owner " + owner,
                "there is no such user or group on this machine");
  }
  return access;
}

Result<Folder> Folder::open(const std::filesystem::path& path) {
  Descriptor descriptor(::open(path.c_str(), open_folder));
  if (!descriptor.ok()) return fail(file_error("open", path, errno));
  return Folder(std::move(descriptor), path);
}

Result<Folder> Folder::make(const std::filesystem::path& path, const Access& access) {
  auto folder = open(path);
  if (folder || folder.error().kind != Error::Kind::not_found) return folder;

  // "certs/" has no file name of its own.
  if (!path.has_filename() && path.has_relative_path()) return make(path.parent_path(), access);
  const auto above = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  if (above == path || path.empty()) return folder;

  auto parent = make(above, access);
  if (!parent) return parent;
  return parent->make_child(path.filename().string(), access);
}

Result<Folder> Folder::child(const std::string& name) const {
  Descriptor descriptor(::openat(descriptor_.get(), name.c_str(), open_folder | O_NOFOLLOW));
  if (!descriptor.ok()) return fail(file_error("open", path_ / name, errno));
  return Folder(std::move(descriptor), path_ / name);
}

Result<Folder> Folder::make_child(const std::string& name, const Access& access) const {
  const bool created = ::mkdirat(descriptor_.get(), name.c_str(), access.folder_mode()) == 0;
  if (!created && errno != EEXIST) return fail(file_error("make folder", path_ / name, errno));
  auto folder = child(name);
  if (!folder || !created) return folder;

  if (const int error = grant(folder->descriptor_.get(), access.folder_mode(), access)) {
    // Else the next attempt would take it for one that is as it should be.
    ::unlinkat(descriptor_.get(), name.c_str(), AT_REMOVEDIR);
    return fail(file_error("change the owner of", path_ / name, error));
  }
  if (auto synced = sync(); !synced) return fail(std::move(synced.error()));
  return folder;
}

Status Folder::write(const std::string& name, std::string_view content,
                     const Access& access) const {
  const int folder = descriptor_.get();
  ::unlinkat(folder, unfinished_file, 0);
  const Descriptor file(::openat(folder, unfinished_file,
                                 O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                                 access.file_mode));
  if (!file.ok()) return fail(file_error("create", path_ / name, errno));
  int error = grant(file.get(), access.file_mode, access);
  if (error == 0) error = write_all(file.get(), content);
  if (error == 0 && ::renameat(folder, unfinished_file, folder, name.c_str()) != 0) error = errno;
  if (error != 0) {
    ::unlinkat(folder, unfinished_file, 0);
    return fail(file_error("write", path_ / name, error));
  }
  return {};
}

Result<std::string> Folder::read(const std::string& name, std::size_t limit) const {
  const Descriptor file(
      ::openat(descriptor_.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file.ok()) return fail(file_error("read", path_ / name, errno));
  return read_all(file.get(), path_ / name, limit);
}

Result<std::optional<std::string>> Folder::link(const std::string& name) const {
  std::string target(4096, '\0');  // PATH_MAX
  const ssize_t size = ::readlinkat(descriptor_.get(), name.c_str(), target.data(), target.size());
  if (size < 0 && errno == ENOENT) return std::optional<std::string>();
  if (size < 0 && errno == EINVAL) {
    return fail(Error::Kind::misconfigured, "read link " + (path_ / name).string(),
                "something else stands where our link belongs: move it away");
  }
  if (size < 0) return fail(file_error("read link", path_ / name, errno));
  target.resize(static_cast<std::size_t>(size));
  return std::optional(std::move(target));
}

Status Folder::switch_link(const std::string& target, const Folder& destination,
                           const std::string& name) const {
  const int folder = descriptor_.get();
  ::unlinkat(folder, unfinished_link, 0);
  if (::symlinkat(target.c_str(), folder, unfinished_link) != 0 ||
      ::renameat(folder, unfinished_link, destination.descriptor_.get(), name.c_str()) != 0) {
    return fail(file_error("switch link", destination.path_ / name, errno));
  }
  return destination.sync();
}

Status Folder::rename(const std::string& from, const std::string& to) const {
  const int folder = descriptor_.get();
  if (::renameat(folder, from.c_str(), folder, to.c_str()) != 0) {
    return fail(file_error("rename", path_ / to, errno));
  }
  return {};
}

Status Folder::remove(const std::string& name) const {
  if (::unlinkat(descriptor_.get(), name.c_str(), 0) != 0 && errno != ENOENT) {
    return fail(file_error("remove", path_ / name, errno));
  }
  return sync();
}

Status Folder::clear() const {
  // A second descriptor: closedir() closes the one that it was given.
  const int second = ::openat(descriptor_.get(), ".", open_folder);
  if (second < 0) return fail(file_error("list", path_, errno));
  const std::unique_ptr<DIR, int (*)(DIR*)> list(::fdopendir(second), &::closedir);
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(list.get())) {
    const std::string name(static_cast<const char*>(entry->d_name));
    if (name != "." && name != "..") names.push_back(name);
  }
  for (const std::string& name : names) {
    if (::unlinkat(descriptor_.get(), name.c_str(), 0) != 0) {
      return fail(file_error("remove", path_ / name, errno));
    }
  }
  return {};
}

Status Folder::sync() const {
  if (::fsync(descriptor_.get()) != 0) return fail(file_error("sync", path_, errno));
  return {};
}

Result<Descriptor> Folder::lock() const {
  // Its own open file: a lock belongs to that, and so keeps out other threads as well.
  Descriptor lock(::openat(descriptor_.get(), ".", open_folder));
  if (!lock.ok()) return fail(file_error("lock", path_, errno));
  while (::flock(lock.get(), LOCK_EX) != 0) {
    if (errno != EINTR) return fail(file_error("lock", path_, errno));
  }
  return lock;
}

}  // namespace certherd
