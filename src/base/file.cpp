#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "base/file_bytes.hpp"
#include "base/folder.hpp"
#include "base/versioned_folder.hpp"

namespace certherd {
namespace {

struct Meaning {
  Error::Kind kind;
  std::string_view advice;
};

Meaning meaning_of(int error_number) {
  using enum Error::Kind;
  switch (error_number) {
    case ENOENT:
      return {not_found, "it does not exist"};
    case EACCES:
    case EPERM:
      return {denied, "permission denied: run as a user who may, or change its owner or mode"};
    case EROFS:
      return {misconfigured,
              "the file system is read-only: mount it writable or choose another path"};
    case ENOSPC:
      return {transient, "the disk is full: free some space"};
    case EDQUOT:
      return {transient, "the disk quota is used up: free some space or raise it"};
    case ENOTDIR:
      return {misconfigured, "a part of the path is not a folder: move it away"};
    case EISDIR:
      return {misconfigured, "it is a folder where a file is needed: move it away"};
    case ELOOP:
      return {misconfigured, "a symbolic link stands where none may be: move it away"};
    case EEXIST:
      return {conflict, "it exists already"};
    case ENAMETOOLONG:
      return {misconfigured, "the name is too long for this file system"};
    case EMFILE:
    case ENFILE:
      return {transient, "too many open files: raise the limit (ulimit -n)"};
    default:
      return {transient, {}};
  }
}

}  // namespace

Error file_error(std::string op, const std::filesystem::path& path, int error_number) {
  const auto [kind, advice] = meaning_of(error_number);
  Error error;
  error.kind = kind;
  error.op = std::move(op) + " " + path.string();
  error.detail = advice.empty() ? std::generic_category().message(error_number) : advice;
  return error;
}

Descriptor::~Descriptor() {
  if (ok()) ::close(number_);
}

int write_all(int descriptor, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = ::write(descriptor, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return ::fsync(descriptor) == 0 ? 0 : errno;
}

Result<std::string> read_all(int descriptor, const std::filesystem::path& path, std::size_t limit) {
  // One octet above the limit tells "as long as allowed" from "longer". The buffer is made once:
  // growing it would leave copies of a key on the heap.
  struct stat status{};
  if (::fstat(descriptor, &status) != 0) return fail(file_error("read", path, errno));
  const bool regular = S_ISREG(status.st_mode);
  const std::size_t room =
      regular ? std::min(static_cast<std::size_t>(status.st_size), limit) + 1 : limit + 1;

  std::string content(room, '\0');
  std::size_t size = 0;
  while (size < room) {
    const ssize_t count = ::read(descriptor, content.data() + size, room - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(file_error("read", path, errno));
    if (count == 0) break;
    size += static_cast<std::size_t>(count);
  }
  if (size > limit) {
    return fail(Error::Kind::rejected, "read " + path.string(),
                "it is longer than " + std::to_string(limit) + " bytes");
  }
  content.resize(size);
  return content;
}

Status create_private_file(const std::filesystem::path& path, std::string_view content) {
  const auto parent = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  auto folder = Folder::open(parent);
  if (!folder) return fail(std::move(folder.error()));

  const Descriptor file(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.ok()) return fail(file_error("create", path, errno));
  if (const int error = write_all(file.get(), content); error != 0) {
    ::unlink(path.c_str());
    return fail(file_error("write", path, error));
  }
  return folder->sync();
}

Result<std::string> read_file(const std::filesystem::path& path, std::size_t limit) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.ok()) return fail(file_error("read", path, errno));
  return read_all(file.get(), path, limit);
}

}  // namespace certherd
