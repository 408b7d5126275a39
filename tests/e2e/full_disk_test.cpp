#include <fmt/format.h>
#include <gmock/gmock.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <atomic>
#include <boost/json.hpp>

#include "crypto/private_key.hpp"
#include "crypto/x509.hpp"
#include "end_to_end.hpp"
#include "own_mounts.hpp"
#include "pebble_log.hpp"

namespace certherd::e2e {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using Kind = CaRequest::Kind;

constexpr auto site = "site-0001.fleet.test";
constexpr std::size_t small = std::size_t{2} << 20U;

/// Disks that are full or read-only, under the store, the vault, the target or the log.
class Disks : public OnStage {
 protected:
  void SetUp() override {
    set_stage({.domains = 2, .environment = {{"PEBBLE_WFE_NONCEREJECT", "0"}}});
    set_proxy();
    add_inventory();
  }

  /// The store in a folder of its own, on a small disk.
  void put_store_on_small_disk() {
    std::filesystem::create_directory(path("store"));
    for (const auto* name : {"state.db", "state.db-wal", "state.db-shm"}) {
      if (std::filesystem::exists(path(name))) {
        std::filesystem::rename(path(name), path("store") / name);
      }
    }
    configure("sqlite:state.db", "sqlite:store/state.db");
    mounts_.small_disk(path("store"), small);
  }

  void expect_sound_store() {
    soci::session sql(soci::sqlite3, fmt::format("dbname=\"{}\"", store_file().string()));
    std::string verdict;
    sql << "PRAGMA integrity_check", soci::into(verdict);
    EXPECT_EQ(verdict, "ok");
  }

  std::filesystem::path store_file() const {
    return std::filesystem::exists(path("store")) ? path("store") / "state.db" : path("state.db");
  }

  /// Goes on with what is there: each domain has its certificate with its key, and the CA was
  /// asked for no second one.
  void expect_all_is_caught_up(std::size_t certificates = 2) {
    const auto ended = run({"--json", "issue", site, "site-0002.fleet.test"});
    EXPECT_EQ(ended.status, 0) << ended.err;
    EXPECT_EQ(read_pebble_log(pebble_log()).issued.size(), certificates);
    const auto pem = content_of(path("vault") / site / "private_key.pem");
    const auto key = crypto::PrivateKey::from_pem(Secret<std::string>(pem));
    const auto chain = crypto::read_chain(content_of(path("vault") / site / "fullchain.pem"));
    ASSERT_TRUE(key && chain);
    EXPECT_EQ(chain->front().public_key, key->public_key());
    EXPECT_EQ(content_of(path("edge") / site / "privkey.pem"), pem);
    expect_sound_store();
  }

  OwnMounts mounts_;
};

TEST_F(Disks, AFullStoreStopsEverythingBeforeTheCaIsAsked) {
  put_store_on_small_disk();
  OwnMounts::fill(path("store"));
  const auto ended = run({"issue", "--all"});
  std::cout << ended.err;
  EXPECT_EQ(ended.status, 2) << ended.err;
  EXPECT_THAT(ended.err, AllOf(HasSubstr("store/state.db"), HasSubstr("disk is full"),
                               HasSubstr("free space")));
  EXPECT_EQ(proxy_->count(Kind::new_order), 0);
  OwnMounts::free_space(path("store"));
  expect_all_is_caught_up();
}

TEST_F(Disks, AStoreThatFillsUpWhileTheCaIssuesLosesNoCertificate) {
  put_store_on_small_disk();
  for (const auto moment : {Kind::new_order, Kind::finalize, Kind::certificate}) {
    SCOPED_TRACE(static_cast<int>(moment));
    std::atomic<bool> done = false;
    proxy_->set_hook([&](const CaRequest& request, const CaProxy::Forward& forward) {
      auto answer = forward();
      if (request.kind == moment && !done.exchange(true)) OwnMounts::fill(path("store"));
      return answer;
    });
    const auto ended = run({"issue", site});
    std::cout << ended.err;
    EXPECT_EQ(ended.status, 1) << ended.err;
    EXPECT_THAT(ended.err, HasSubstr("disk is full"));
    proxy_->set_hook(nullptr);
    OwnMounts::free_space(path("store"));
  }
  expect_all_is_caught_up();
}

TEST_F(Disks, AFullVaultPutsTheDomainOffWithItsCertificate) {
  mounts_.small_disk(path("vault"), small);
  OwnMounts::fill(path("vault"));
  const auto ended = run({"issue", site});
  std::cout << ended.err << ended.out;
  EXPECT_EQ(ended.status, 1) << ended.err;
  EXPECT_THAT(ended.err, AllOf(HasSubstr(path("vault").string()), HasSubstr("the disk is full")));
  OwnMounts::free_space(path("vault"));
  expect_all_is_caught_up();
}

TEST_F(Disks, AFullTargetPutsTheDomainOffWithItsCertificate) {
  mounts_.small_disk(path("edge"), small);
  OwnMounts::fill(path("edge"));
  const auto ended = run({"issue", site});
  std::cout << ended.err << ended.out;
  EXPECT_EQ(ended.status, 1) << ended.err;
  EXPECT_THAT(ended.err, AllOf(HasSubstr(path("edge").string()), HasSubstr("the disk is full")));
  OwnMounts::free_space(path("edge"));
  expect_all_is_caught_up();
}

TEST_F(Disks, AReadOnlyVaultOrTargetIsFoundByCheckAndByIssue) {
  std::filesystem::create_directories(path("vault"));
  for (const auto* name : {"vault", "edge"}) {
    SCOPED_TRACE(name);
    mounts_.make_read_only(path(name));
    const auto checked = run({"config", "check"});
    std::cout << checked.out << checked.err;
    EXPECT_EQ(checked.status, 1);
    EXPECT_THAT(checked.out, AllOf(HasSubstr(path(name).string()), HasSubstr("read-only")));
    const auto ended = run({"issue", site});
    std::cout << ended.err << ended.out;
    EXPECT_EQ(ended.status, 1) << ended.err;
    EXPECT_THAT(ended.err, AllOf(HasSubstr(path(name).string()), HasSubstr("read-only")));
    mounts_.make_writable(path(name));
  }
  expect_all_is_caught_up();
}

TEST_F(Disks, AReadOnlyStoreIsToldByEachCommandThatWrites) {
  put_store_on_small_disk();
  mounts_.make_read_only(path("store"));
  const auto ended = run({"issue", "--all"});
  std::cout << ended.err;
  EXPECT_EQ(ended.status, 2);
  EXPECT_THAT(ended.err, AllOf(HasSubstr("store/state.db"), HasSubstr("read-only")));
  EXPECT_EQ(proxy_->count(Kind::new_order), 0);
  const auto listed = run({"domain", "list"});
  std::cout << listed.err << listed.out;
  mounts_.make_writable(path("store"));
  expect_all_is_caught_up();
}

TEST_F(Disks, ALogThatCannotBeWrittenStopsNothing) {
  auto call = this->call({"-v", "issue", site});
  call.errors = "/dev/full";
  EXPECT_EQ(Program(loop(), call).wait().status, 0);
  expect_all_is_caught_up(3);
}

TEST_F(Disks, ResultsThatCannotBeWrittenAreNoSuccess) {
  for (const std::string command : {"domain", "cert"}) {
    auto call = this->call({"--json", command, "list"});
    call.output = "/dev/full";
    const auto ended = Program(loop(), call).wait();
    EXPECT_EQ(ended.status, 1) << command;
    EXPECT_THAT(ended.err, AllOf(HasSubstr("output"), HasSubstr("No space left")));
  }
}

}  // namespace
}  // namespace certherd::e2e
