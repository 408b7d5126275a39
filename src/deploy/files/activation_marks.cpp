#include "deploy/files/activation_marks.hpp"

namespace certherd::deploy {
namespace {

constexpr const char* marks_folder = ".reload-pending";

Result<std::string> mark_name(const std::string& name, const std::string& version) {
  if (version.empty() || version.find('/') != std::string::npos) {
    return fail(Error::Kind::misconfigured, "mark version " + version, "it must be a plain name");
  }
  return name + "@" + version;
}

Result<Folder> open_marks(const std::filesystem::path& root) {
  auto folder = Folder::open(root);
  if (!folder) return folder;
  return folder->child(marks_folder);
}

}  // namespace

Result<bool> ActivationMarks::is_set(const std::string& name, const std::string& version) const {
  auto mark = mark_name(name, version);
  if (!mark) return fail(std::move(mark.error()));
  auto marks = open_marks(options_.root);
  if (marks) {
    if (marks->read(*mark, 0)) return true;
  } else if (marks.error().kind != Error::Kind::not_found) {
    return fail(std::move(marks.error()));
  }
  return false;
}

Status ActivationMarks::set(const std::string& name, const std::string& version) const {
  auto mark = mark_name(name, version);
  if (!mark) return fail(std::move(mark.error()));
  auto access = access_for(options_.file_mode, options_.owner);
  if (!access) return fail(std::move(access.error()));
  auto root = Folder::make(options_.root, *access);
  if (!root) return fail(std::move(root.error()));
  auto marks = root->make_child(marks_folder, *access);
  if (!marks) return fail(std::move(marks.error()));
  auto lock = marks->lock();  // a folder takes one new file at a time
  if (!lock) return fail(std::move(lock.error()));
  auto written = marks->write(*mark, "", *access);
  if (!written) return written;
  return marks->sync();
}

Status ActivationMarks::clear(const std::string& name, const std::string& version) const {
  auto mark = mark_name(name, version);
  if (!mark) return fail(std::move(mark.error()));
  auto marks = open_marks(options_.root);
  if (marks) return marks->remove(*mark);
  if (marks.error().kind == Error::Kind::not_found) return {};
  return fail(std::move(marks.error()));
}

}  // namespace certherd::deploy
