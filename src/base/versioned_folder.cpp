#include "base/versioned_folder.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/folder.hpp"

namespace certherd {
namespace {

constexpr const char* versions_folder = ".versions";
constexpr std::size_t largest_file = std::size_t{1} << 20U;  // 1 MiB

/// One component of a path and nothing else. Those that begin with a dot are our own.
Status check_name(const std::string& what, const std::string& name) {
  const bool control = std::ranges::any_of(
      name, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  if (name.empty() || name.starts_with('.') || name.find('/') != std::string::npos || control) {
    return fail(Error::Kind::misconfigured, "use " + what,
                "it must be a plain name without slashes, control characters or a leading dot");
  }
  return {};
}

std::string link_target(const std::string& name, const std::string& version) {
  return std::string(versions_folder) + "/" + name + "/" + version;
}

Result<std::optional<std::string>> current_in(const Folder& root, const std::string& name) {
  auto link = root.link(name);
  if (!link || !*link) return link;
  const std::string prefix = link_target(name, "");
  const std::string& target = **link;
  if (!target.starts_with(prefix) || !check_name("version", target.substr(prefix.size()))) {
    return fail(Error::Kind::misconfigured, "read link " + name,
                "it points to " + target + ", which is not ours: move it away");
  }
  return std::optional(target.substr(prefix.size()));
}

/// Writes into the version in use what is missing there. Files that are there stay: readers have
/// them, so another content under the same version is the caller's mistake.
Result<bool> repair(const Folder& folder, const std::vector<FileContent>& files,
                    const Access& access) {
  std::vector<const FileContent*> missing;
  for (const FileContent& file : files) {
    auto present = folder.read(file.name, file.content.reveal().size());
    if (present) {
      const Secret<std::string> kept(std::move(*present));
      if (kept.reveal() == file.content.reveal()) continue;
    } else if (present.error().kind == Error::Kind::not_found) {
      missing.push_back(&file);
      continue;
    } else if (present.error().kind != Error::Kind::rejected) {
      return fail(std::move(present.error()));
    }
    return fail(Error::Kind::rejected, "write " + file.name,
                "this version is in use already with another content");
  }
  for (const FileContent* file : missing) {
    if (auto written = folder.write(file->name, file->content.reveal(), access); !written) {
      return fail(std::move(written.error()));
    }
  }
  if (missing.empty()) return false;
  if (auto synced = folder.sync(); !synced) return fail(std::move(synced.error()));
  return true;
}

/// Whether new names could be made in the folder, or in the nearest one above it that exists.
Status check_writable(std::filesystem::path path) {
  while (::faccessat(AT_FDCWD, path.c_str(), W_OK | X_OK, AT_EACCESS) != 0) {
    if (errno != ENOENT) return fail(file_error("write to", path, errno));
    const auto above = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
    if (above == path) return fail(file_error("write to", path, ENOENT));
    path = above;
  }
  if (auto folder = Folder::open(path); !folder) return fail(std::move(folder.error()));
  return {};
}

}  // namespace

Result<std::optional<std::string>> VersionedFolder::current(const std::string& name) const {
  if (auto valid = check_name("name " + name, name); !valid) return fail(valid.error());
  auto root = Folder::open(options_.root);
  if (!root && root.error().kind == Error::Kind::not_found) return std::optional<std::string>();
  if (!root) return fail(std::move(root.error()));
  return current_in(*root, name);
}

Result<bool> VersionedFolder::switch_to(const std::string& name, const std::string& version,
                                        const std::vector<FileContent>& files) const {
  if (auto valid = check_name("name " + name, name); !valid) return fail(valid.error());
  if (auto valid = check_name("version " + version, version); !valid) return fail(valid.error());
  for (const FileContent& file : files) {
    auto valid = check_name("file name " + file.name, file.name);
    if (!valid) return fail(std::move(valid.error()));
  }
  auto access = access_for(options_.file_mode, options_.owner);
  if (!access) return fail(std::move(access.error()));
  auto root = Folder::make(options_.root, *access);
  if (!root) return fail(std::move(root.error()));
  // Before anything is written: the rename at the end would replace somebody else's file.
  if (auto found = current_in(*root, name); !found) return fail(std::move(found.error()));

  auto all = root->make_child(versions_folder, *access);
  if (!all) return fail(std::move(all.error()));
  auto versions = all->make_child(name, *access);
  if (!versions) return fail(std::move(versions.error()));
  auto lock = versions->lock();
  if (!lock) return fail(std::move(lock.error()));

  auto current = current_in(*root, name);
  if (!current) return fail(std::move(current.error()));
  auto folder = versions->make_child(version, *access);
  if (!folder) return fail(std::move(folder.error()));
  if (*current == version) return repair(*folder, files, *access);

  // Not in use, so what is in it is older or the rest of a crash.
  Status done = folder->clear();
  for (const FileContent& file : files) {
    if (done) done = folder->write(file.name, file.content.reveal(), *access);
  }
  // The link must not reach the disk before what it points to; make_child() synced the rest.
  if (done) done = folder->sync();
  if (done) done = versions->switch_link(link_target(name, version), *root, name);
  if (!done) return fail(std::move(done.error()));
  return true;
}

Result<Secret<std::string>> VersionedFolder::read(const std::string& name,
                                                  const std::string& file) const {
  if (auto valid = check_name("file name " + file, file); !valid) return fail(valid.error());
  auto version = current(name);
  if (!version) return fail(std::move(version.error()));
  if (!*version) return fail(file_error("read", options_.root / name / file, ENOENT));

  auto folder = Folder::open(options_.root);
  for (const std::string& part : {std::string(versions_folder), name, **version}) {
    if (folder) folder = folder->child(part);
  }
  if (!folder) return fail(std::move(folder.error()));
  auto content = folder->read(file, largest_file);
  if (!content) return fail(std::move(content.error()));
  return Secret<std::string>(std::move(*content));
}

Status VersionedFolder::remove(const std::string& name) const {
  auto version = current(name);
  if (!version) return fail(std::move(version.error()));
  if (!*version) return {};
  auto root = Folder::open(options_.root);
  if (!root) return fail(std::move(root.error()));
  return root->remove(name);
}

Status VersionedFolder::check() const {
  auto access = access_for(options_.file_mode, options_.owner);
  if (!access) return fail(std::move(access.error()));
  return check_writable(options_.root / versions_folder);
}

std::string folder_name(std::string_view domain) {
  constexpr std::string_view wildcard = "*.";
  if (!domain.starts_with(wildcard)) return std::string(domain);
  return "_wildcard." + std::string(domain.substr(wildcard.size()));
}

}  // namespace certherd
