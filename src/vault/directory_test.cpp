#include "vault/directory.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <fstream>
#include <string>

#include "base/versioned_folder.hpp"
#include "runtime/virtual_loop.hpp"

namespace certherd::vault {
namespace {

namespace fs = std::filesystem;

/// What the contract suite cannot see: the files.
class DirectoryTest : public testing::Test {
 protected:
  DirectoryTest() {
    std::string pattern = (fs::temp_directory_path() / "directory.XXXXXX").string();
    top = ::mkdtemp(pattern.data());
    root = top / "vault";
    vault = make_directory(*offload, root);
  }
  ~DirectoryTest() override { fs::remove_all(top); }

  Result<VaultReferences> store(const std::string& domain, const std::string& version) {
    Material material{"csr " + version, Secret<std::string>("key " + version), "chain " + version};
    return loop->run(vault->store(Fqdn::literal(domain), std::move(material), {.key = version}));
  }
  Result<Material> load(const std::string& domain) {
    return loop->run(vault->load(Fqdn::literal(domain)));
  }

  static std::string text(const fs::path& path) {
    auto content = read_file(path, 1000);
    return content ? *content : content.error().message();
  }
  static unsigned mode(const fs::path& path) {
    struct stat status{};
    EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
    return status.st_mode & 07777U;
  }

  fs::path top;
  fs::path root;
  std::unique_ptr<runtime::EventLoop> loop = runtime::make_virtual_loop(Time{});
  std::unique_ptr<runtime::Offload> offload = runtime::make_inline_offload();
  std::unique_ptr<Vault> vault;
};

TEST_F(DirectoryTest, ReferencesAreThePathsOfTheFiles) {
  const auto references = store("example.com", "01");
  ASSERT_TRUE(references) << references.error().message();
  EXPECT_EQ(references->csr, (root / "example.com" / "csr.pem").string());
  EXPECT_EQ(references->private_key, (root / "example.com" / "private_key.pem").string());
  EXPECT_EQ(references->fullchain, (root / "example.com" / "fullchain.pem").string());
  EXPECT_EQ(text(references->csr), "csr 01");
  EXPECT_EQ(text(references->private_key), "key 01");
  EXPECT_EQ(text(references->fullchain), "chain 01");
}

TEST_F(DirectoryTest, NobodyElseMayRead) {
  const auto references = store("example.com", "01");
  ASSERT_TRUE(references);
  EXPECT_EQ(mode(references->private_key), 0600U);
  EXPECT_EQ(mode(references->csr), 0600U);
  EXPECT_EQ(mode(root / "example.com"), 0700U);
  EXPECT_EQ(mode(root), 0700U);
}

TEST_F(DirectoryTest, AWildcardHasAPathThatShellsLike) {
  const auto references = store("*.example.com", "01");
  ASSERT_TRUE(references);
  EXPECT_EQ(references->csr, (root / "_wildcard.example.com" / "csr.pem").string());
}

TEST_F(DirectoryTest, EarlierVersionsAreKept) {
  ASSERT_TRUE(store("example.com", "01"));
  ASSERT_TRUE(store("example.com", "02"));
  EXPECT_EQ(text(root / ".versions" / "example.com" / "01" / "private_key.pem"), "key 01");
  EXPECT_EQ(text(root / "example.com" / "private_key.pem"), "key 02");
}

TEST_F(DirectoryTest, AMissingFileIsDamageAndNotAbsence) {
  ASSERT_TRUE(store("example.com", "01"));
  fs::remove(root / "example.com" / "private_key.pem");
  const auto found = load("example.com");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, Error::Kind::rejected);
  EXPECT_NE(found.error().message().find("private_key.pem"), std::string::npos);
}

TEST_F(DirectoryTest, AnErrorNamesTheDomainAndNeverTheKey) {
  std::ofstream(root) << "not a folder";
  const auto stored = store("example.com", "01");
  ASSERT_FALSE(stored);
  EXPECT_EQ(stored.error().kind, Error::Kind::misconfigured);
  EXPECT_NE(stored.error().message().find("example.com"), std::string::npos);
  EXPECT_EQ(stored.error().message().find("key 01"), std::string::npos);
}

TEST_F(DirectoryTest, AVersionKeyCannotLeaveTheFolder) {
  for (const std::string version : {"../../elsewhere", "", "."}) {
    const auto stored = store("example.com", version);
    ASSERT_FALSE(stored) << version;
    EXPECT_EQ(stored.error().kind, Error::Kind::misconfigured);
  }
}

TEST_F(DirectoryTest, CheckFindsThatItCannotBeWrittenTo) {
  EXPECT_TRUE(loop->run(vault->check()));
  std::ofstream(root) << "not a folder";
  EXPECT_FALSE(loop->run(vault->check()));
}

}  // namespace
}  // namespace certherd::vault
