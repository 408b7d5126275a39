#include "base/versioned_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>

namespace certherd {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Optional;

class VersionedFolderTest : public testing::Test {
 public:
  VersionedFolderTest() {
    std::string pattern = (fs::temp_directory_path() / "versioned.XXXXXX").string();
    top = ::mkdtemp(pattern.data());
    root = top / "certs";
  }
  ~VersionedFolderTest() override { fs::remove_all(top); }

 protected:
  VersionedFolder folder() const { return VersionedFolder(options()); }

  VersionedFolder::Options options() const {
    VersionedFolder::Options options;
    options.root = root;
    return options;
  }

  static std::vector<FileContent> files(const std::string& content) {
    return {{"privkey.pem", Secret<std::string>("key " + content)},
            {"fullchain.pem", Secret<std::string>("chain " + content)}};
  }

  static void put(const fs::path& path, const std::string& content) {
    fs::create_directories(path.parent_path());
    std::ofstream(path) << content;
  }

  static std::string text(const fs::path& path) {
    auto content = read_file(path, 1000);
    return content ? *content : content.error().message();
  }

  static unsigned mode(const fs::path& path) {
    struct stat status{};
    EXPECT_EQ(::lstat(path.c_str(), &status), 0) << path;
    return status.st_mode & 07777U;
  }

  fs::path top;
  fs::path root;
};

TEST_F(VersionedFolderTest, WritesAndPointsToTheVersion) {
  EXPECT_EQ(folder().current("a.example").value(), std::nullopt);
  EXPECT_EQ(folder().switch_to("a.example", "v1", files("1")), true);

  EXPECT_THAT(folder().current("a.example").value(), Optional(std::string("v1")));
  EXPECT_EQ(text(root / "a.example/privkey.pem"), "key 1");
  EXPECT_EQ(fs::read_symlink(root / "a.example"), ".versions/a.example/v1");
  EXPECT_EQ(folder().read("a.example", "fullchain.pem")->reveal(), "chain 1");
}

TEST_F(VersionedFolderTest, KeepsEarlierVersionsAndCanGoBack) {
  ASSERT_TRUE(folder().switch_to("a.example", "v1", files("1")));
  ASSERT_TRUE(folder().switch_to("a.example", "v2", files("2")));
  EXPECT_EQ(text(root / "a.example/privkey.pem"), "key 2");
  EXPECT_EQ(text(root / ".versions/a.example/v1/privkey.pem"), "key 1");

  EXPECT_EQ(folder().switch_to("a.example", "v1", files("1")), true);
  EXPECT_EQ(text(root / "a.example/privkey.pem"), "key 1");
}

TEST_F(VersionedFolderTest, TheSameAgainChangesNothing) {
  ASSERT_TRUE(folder().switch_to("a.example", "v1", files("1")));
  const auto before = fs::last_write_time(root / "a.example/privkey.pem");
  EXPECT_EQ(folder().switch_to("a.example", "v1", files("1")), false);
  EXPECT_EQ(fs::last_write_time(root / "a.example/privkey.pem"), before);
}

TEST_F(VersionedFolderTest, RefusesAnotherContentUnderTheVersionInUse) {
  ASSERT_TRUE(folder().switch_to("a.example", "v1", files("1")));
  for (const std::string other : {"2", "longer than before"}) {
    const auto result = folder().switch_to("a.example", "v1", files(other));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, Error::Kind::rejected);
  }
  EXPECT_EQ(text(root / "a.example/privkey.pem"), "key 1");
}

TEST_F(VersionedFolderTest, ReplacesWhatACrashLeftHalfWritten) {
  put(root / ".versions/a.example/v1/privkey.pem", "ke");
  put(root / ".versions/a.example/v1/.new", "cha");
  fs::create_symlink(".versions/a.example/v0", root / ".versions/a.example/.link");

  EXPECT_EQ(folder().switch_to("a.example", "v1", files("1")), true);
  EXPECT_EQ(text(root / "a.example/privkey.pem"), "key 1");
  EXPECT_EQ(text(root / "a.example/fullchain.pem"), "chain 1");
  EXPECT_FALSE(fs::exists(root / "a.example/.new"));
  EXPECT_FALSE(fs::is_symlink(root / ".versions/a.example/.link"));
}

TEST_F(VersionedFolderTest, RepairsTheVersionInUseWhereFilesAreGone) {
  ASSERT_TRUE(folder().switch_to("a.example", "v1", files("1")));
  fs::remove(root / "a.example/privkey.pem");
  put(root / "a.example/.new", "half of");
  EXPECT_EQ(folder().switch_to("a.example", "v1", files("1")), true);
  EXPECT_EQ(text(root / "a.example/privkey.pem"), "key 1");

  fs::remove_all(root / ".versions");
  EXPECT_EQ(folder().read("a.example", "privkey.pem").error().kind, Error::Kind::not_found);
  EXPECT_EQ(folder().switch_to("a.example", "v1", files("1")), true);
  EXPECT_EQ(text(root / "a.example/privkey.pem"), "key 1");
}

TEST_F(VersionedFolderTest, KeepsFilesAndFoldersToOurselves) {
  const mode_t before = ::umask(0);
  ASSERT_TRUE(folder().switch_to("a.example", "v1", files("1")));
  ::umask(before);
  EXPECT_EQ(mode(root / ".versions/a.example/v1/privkey.pem"), 0600U);
  for (const auto* path : {"", ".versions", ".versions/a.example", ".versions/a.example/v1"}) {
    EXPECT_EQ(mode(root / path), 0700U) << path;
  }
}

TEST_F(VersionedFolderTest, GivesTheReadersItWasToldOfAWayIn) {
  const mode_t before = ::umask(077);
  auto shared = options();
  shared.file_mode = 0640;
  ASSERT_TRUE(VersionedFolder(shared).switch_to("a.example", "v1", files("1")));
  ::umask(before);
  EXPECT_EQ(mode(root / ".versions/a.example/v1/privkey.pem"), 0640U);
  EXPECT_EQ(mode(root / ".versions/a.example/v1"), 0710U);
  EXPECT_EQ(mode(root), 0710U);
}

TEST_F(VersionedFolderTest, GivesTheFilesToTheOwner) {
  auto owned = options();
  owned.owner = std::to_string(::getuid()) + ":" + std::to_string(::getgid());
  EXPECT_TRUE(VersionedFolder(owned).switch_to("a.example", "v1", files("1")));

  owned.owner = "no-such-user-anywhere";
  const auto result = VersionedFolder(owned).switch_to("a.example", "v2", files("2"));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, Error::Kind::misconfigured);
  EXPECT_FALSE(VersionedFolder(owned).check());
  owned.owner = std::to_string(::getuid()) + ":no-such-group-anywhere";
  EXPECT_FALSE(VersionedFolder(owned).check());
}

TEST_F(VersionedFolderTest, RefusesNamesThatLeadElsewhere) {
  for (const std::string name : {"", ".", "..", "../x", "a/b", "/etc", ".versions", "a\nb"}) {
    EXPECT_EQ(folder().switch_to(name, "v1", files("1")).error().kind, Error::Kind::misconfigured);
    EXPECT_EQ(folder().switch_to("a", name, files("1")).error().kind, Error::Kind::misconfigured);
    EXPECT_EQ(folder().switch_to("a", "v1", {{name, Secret<std::string>()}}).error().kind,
              Error::Kind::misconfigured);
    EXPECT_FALSE(folder().current(name));
    EXPECT_FALSE(folder().remove(name));
    EXPECT_FALSE(folder().read("a", name));
  }
  EXPECT_FALSE(folder().current(std::string("a\0b", 3)));
  EXPECT_FALSE(fs::exists(root));
}

TEST_F(VersionedFolderTest, LeavesAloneWhatIsNotOurs) {
  put(root / "file", "theirs");
  fs::create_directories(root / "folder");
  fs::create_symlink("/etc", root / "link");
  fs::create_symlink(".versions/other/v1", root / "stray");
  for (const auto* name : {"file", "folder", "link", "stray"}) {
    EXPECT_EQ(folder().current(name).error().kind, Error::Kind::misconfigured) << name;
    EXPECT_EQ(folder().switch_to(name, "v1", files("1")).error().kind, Error::Kind::misconfigured);
    EXPECT_FALSE(folder().remove(name));
  }
  EXPECT_EQ(text(root / "file"), "theirs");
  EXPECT_EQ(fs::read_symlink(root / "link"), "/etc");
}

TEST_F(VersionedFolderTest, FollowsNoLinkBelowItsRoot) {
  fs::create_directories(top / "elsewhere");
  fs::create_directories(root / ".versions");
  fs::create_symlink(top / "elsewhere", root / ".versions/a.example");
  const auto result = folder().switch_to("a.example", "v1", files("1"));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, Error::Kind::misconfigured);
  EXPECT_TRUE(fs::is_empty(top / "elsewhere"));

  ASSERT_TRUE(folder().switch_to("b.example", "v1", files("1")));
  fs::remove(root / "b.example/privkey.pem");
  put(top / "secret", "not yours");
  fs::create_symlink(top / "secret", root / "b.example/privkey.pem");
  EXPECT_FALSE(folder().read("b.example", "privkey.pem"));
}

TEST_F(VersionedFolderTest, SaysWhatStandsInTheWayOfItsFolder) {
  put(root, "a file");
  for (const Error& error : {folder().switch_to("a.example", "v1", files("1")).error(),
                             folder().check().error(), folder().current("a.example").error()}) {
    EXPECT_EQ(error.kind, Error::Kind::misconfigured);
    EXPECT_THAT(error.message(), HasSubstr("not a folder"));
    EXPECT_THAT(error.message(), HasSubstr(root.string()));
  }
}

TEST_F(VersionedFolderTest, RemovesTheLinkAndKeepsTheVersions) {
  EXPECT_TRUE(folder().remove("a.example"));
  ASSERT_TRUE(folder().switch_to("a.example", "v1", files("1")));
  EXPECT_TRUE(folder().remove("a.example"));
  EXPECT_EQ(folder().current("a.example").value(), std::nullopt);
  EXPECT_EQ(text(root / ".versions/a.example/v1/privkey.pem"), "key 1");
  EXPECT_TRUE(folder().remove("a.example"));
}

TEST_F(VersionedFolderTest, ChecksWithoutWriting) {
  EXPECT_TRUE(folder().check());
  EXPECT_FALSE(fs::exists(root));
}

TEST_F(VersionedFolderTest, ReadsWhatIsThereAndNoMoreThanAMebibyte) {
  EXPECT_EQ(folder().read("a.example", "x").error().kind, Error::Kind::not_found);
  ASSERT_TRUE(folder().switch_to("a.example", "v1", files("1")));
  EXPECT_EQ(folder().read("a.example", "x").error().kind, Error::Kind::not_found);
  put(root / "a.example/big", std::string((1U << 20U) + 1, 'x'));
  EXPECT_EQ(folder().read("a.example", "big").error().kind, Error::Kind::rejected);
}

TEST_F(VersionedFolderTest, ReadersSeeOneWholeVersionWhileWritersSwitch) {
  ASSERT_TRUE(folder().switch_to("a.example", "v0", files("0")));
  std::jthread first([this] {
    for (int i = 1; i < 30; ++i) EXPECT_TRUE(folder().switch_to("a.example", "v1", files("1")));
  });
  std::jthread second([this] {
    for (int i = 1; i < 30; ++i) EXPECT_TRUE(folder().switch_to("a.example", "v2", files("2")));
  });
  for (int i = 0; i < 100; ++i) {
    EXPECT_THAT(text(root / "a.example/privkey.pem"),
                testing::AnyOf("key 0", "key 1", "key 2", HasSubstr("does not exist")));
  }
  first.join();
  second.join();
  const auto version = folder().current("a.example").value().value();
  EXPECT_EQ(text(root / "a.example/privkey.pem"), "key " + version.substr(1));
}

TEST(FolderName, WritesAWildcardInLetters) {
  EXPECT_EQ(folder_name("*.example.com"), "_wildcard.example.com");
  EXPECT_EQ(folder_name("example.com"), "example.com");
}

TEST(FileError, TellsWhatToDo) {
  const auto kind = [](int number) { return file_error("write", "/x", number).kind; };
  EXPECT_EQ(kind(ENOSPC), Error::Kind::transient);
  EXPECT_EQ(kind(EDQUOT), Error::Kind::transient);
  EXPECT_EQ(kind(EROFS), Error::Kind::misconfigured);
  EXPECT_EQ(kind(EACCES), Error::Kind::denied);
  EXPECT_EQ(kind(EPERM), Error::Kind::denied);
  EXPECT_EQ(kind(ENOENT), Error::Kind::not_found);
  EXPECT_EQ(kind(EEXIST), Error::Kind::conflict);
  EXPECT_EQ(kind(EIO), Error::Kind::transient);
  EXPECT_EQ(file_error("write", "/x", ENOSPC).message(),
            "write /x: the disk is full: free some space");
  EXPECT_FALSE(file_error("write", "/x", EIO).detail.empty());
}

TEST_F(VersionedFolderTest, APrivateFileIsNewAndOurs) {
  const mode_t before = ::umask(0);
  EXPECT_TRUE(create_private_file(top / "key", "secret"));
  ::umask(before);
  EXPECT_EQ(mode(top / "key"), 0600U);
  EXPECT_EQ(text(top / "key"), "secret");

  EXPECT_EQ(create_private_file(top / "key", "other").error().kind, Error::Kind::conflict);
  EXPECT_EQ(text(top / "key"), "secret");
  fs::create_symlink(top / "target", top / "dangling");
  EXPECT_FALSE(create_private_file(top / "dangling", "x"));
  EXPECT_FALSE(fs::exists(top / "target"));
  EXPECT_EQ(create_private_file(top / "none/key", "x").error().kind, Error::Kind::not_found);
}

TEST_F(VersionedFolderTest, AFileIsReadWholeUpToItsLimit) {
  put(top / "file", "12345");
  EXPECT_EQ(read_file(top / "file", 5), "12345");
  EXPECT_EQ(read_file(top / "file", 4).error().kind, Error::Kind::rejected);
  EXPECT_EQ(read_file(top / "none", 5).error().kind, Error::Kind::not_found);
  EXPECT_EQ(read_file(top, 5).error().kind, Error::Kind::misconfigured);
  put(top / "empty", "");
  EXPECT_EQ(read_file(top / "empty", 0), "");
  // Its size is told as 0 although it has content.
  EXPECT_EQ(read_file("/dev/zero", 10).error().kind, Error::Kind::rejected);
}

}  // namespace
}  // namespace certherd
