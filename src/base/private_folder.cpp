#include "base/private_folder.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

namespace certherd {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view prefix = "certherd-private.";

/// The best first.
std::vector<fs::path> places() {
  std::vector<fs::path> all;
  struct statfs status{};
  if (::statfs("/dev/shm", &status) == 0 && status.f_type == TMPFS_MAGIC) {
    all.emplace_back("/dev/shm");
  }
  std::error_code failure;
  if (auto temporary = fs::temp_directory_path(failure); !failure) {
    all.push_back(std::move(temporary));
  }
  return all;
}

Descriptor open_folder(const fs::path& path) {
  return Descriptor(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

/// Whether it is ours and still has its name.
bool is_there(const Descriptor& folder) {
  struct stat status{};
  return ::fstat(folder.get(), &status) == 0 && status.st_nlink > 0 && status.st_uid == ::geteuid();
}

void remove_folder(const fs::path& path) {
  std::error_code ignored;
  fs::remove_all(path, ignored);
}

}  // namespace

// Between its making and its lock it looks abandoned: who took it away then has held the lock.
Result<PrivateFolder> PrivateFolder::make_empty(const fs::path& place) {
  while (true) {
    std::string path = (place / prefix).string() + "XXXXXX";
    if (::mkdtemp(path.data()) == nullptr) return fail(file_error("make folder in", place, errno));
    auto lock = open_folder(path);
    if (!lock.ok() && errno == ENOENT) continue;
    if (!lock.ok() || ::flock(lock.get(), LOCK_EX) != 0) {
      const int reason = errno;
      remove_folder(path);
      return fail(file_error("lock", path, reason));
    }
    if (is_there(lock)) return PrivateFolder(std::move(path), std::move(lock));
  }
}

Result<PrivateFolder> PrivateFolder::make(const std::vector<FileContent>& files) {
  Error failure = file_error("find", "a place for temporary files", ENOENT);
  for (const auto& place : places()) {
    auto made = make_empty(place);
    if (!made) {
      failure = std::move(made.error());
      continue;
    }
    auto folder = Folder::open(made->path());
    if (!folder) return fail(std::move(folder.error()));
    for (const auto& file : files) {
      auto written = folder->write(file.name, file.content.reveal(), Access{});
      if (!written) return fail(std::move(written.error()));
    }
    return made;
  }
  return fail(std::move(failure));
}

void PrivateFolder::remove() {
  if (!lock_.ok()) return;
  remove_folder(path_);
  lock_ = Descriptor(-1);
}

void PrivateFolder::remove_abandoned() {
  for (const auto& place : places()) {
    std::error_code failure;
    for (fs::directory_iterator entry(place, failure), end; !failure && entry != end;
         entry.increment(failure)) {
      if (!entry->path().filename().string().starts_with(prefix)) continue;
      const auto folder = open_folder(entry->path());
      const bool abandoned =
          folder.ok() && is_there(folder) && ::flock(folder.get(), LOCK_EX | LOCK_NB) == 0;
      if (abandoned) remove_folder(entry->path());
    }
  }
}

}  // namespace certherd
