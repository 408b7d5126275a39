#include "base/private_folder.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <optional>

namespace certherd {
namespace {

namespace fs = std::filesystem;

std::vector<FileContent> one_file() { return {{"key.pem", Secret<std::string>("the key")}}; }

unsigned mode_of(const fs::path& path) {
  struct stat status{};
  EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 07777U;
}

TEST(PrivateFolderTest, HoldsTheFilesForOurUserAlone) {
  const auto folder = PrivateFolder::make(one_file());
  ASSERT_TRUE(folder) << folder.error().message();
  EXPECT_EQ(*read_file(folder->path() / "key.pem", 100), "the key");
  EXPECT_EQ(mode_of(folder->path()), 0700U);
  EXPECT_EQ(mode_of(folder->path() / "key.pem"), 0600U);
}

TEST(PrivateFolderTest, GoesWithItsObject) {
  std::optional<PrivateFolder> folder = *PrivateFolder::make(one_file());
  const auto path = folder->path();
  EXPECT_TRUE(fs::exists(path));
  folder.reset();
  EXPECT_FALSE(fs::exists(path));
}

TEST(PrivateFolderTest, AFileThatCannotBeWrittenLeavesNothing) {
  auto files = one_file();
  files.push_back({"no/such/folder", Secret<std::string>("")});
  const auto folder = PrivateFolder::make(files);
  ASSERT_FALSE(folder);
  const auto& op = folder.error().op;
  const fs::path path = op.substr(op.find('/'), op.find("/no/such") - op.find('/'));
  EXPECT_TRUE(path.filename().string().starts_with("certherd-private.")) << op;
  EXPECT_FALSE(fs::exists(path));
}

TEST(PrivateFolderTest, WhatAKilledProcessLeftIsRemovedAndNothingElse) {
  const auto ours = PrivateFolder::make(one_file());
  ASSERT_TRUE(ours);
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto theirs = PrivateFolder::make(one_file());
    const auto path = theirs ? theirs->path().string() : "none";
    [[maybe_unused]] const auto told = ::write(ends[1], path.data(), path.size());
    std::raise(SIGKILL);
  }
  ::close(ends[1]);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  std::string left(200, '\0');
  const auto size = ::read(ends[0], left.data(), left.size());
  ::close(ends[0]);
  ASSERT_GT(size, 0);
  left.resize(static_cast<std::size_t>(size));
  ASSERT_TRUE(fs::exists(left)) << left;

  PrivateFolder::remove_abandoned();
  EXPECT_FALSE(fs::exists(left));
  EXPECT_TRUE(fs::exists(ours->path() / "key.pem"));
}

}  // namespace
}  // namespace certherd
