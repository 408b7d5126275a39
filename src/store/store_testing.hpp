#pragma once

// What the tests of this room share; not part of the program.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>

#include "runtime/virtual_loop.hpp"
#include "runtime/wrong_clock.hpp"
#include "store/memory_store.hpp"
#include "store/store.hpp"

namespace certherd::store {

constexpr Time test_start{std::chrono::sys_days{std::chrono::year{2026} / 11 / 23}};

/// A folder that is gone after the test.
class TempFolder {
 public:
  TempFolder() {
    std::string pattern = testing::TempDir() + "certherd-store-XXXXXX";
    path_ = ::mkdtemp(pattern.data());
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

/// What a store keeps its rows in. Each keeps what Store promises.
enum class StoreKind { sqlite, memory };

/// A store with a loop of its own, on which every call is run to its end.
class Opened {
 public:
  explicit Opened(StoreKind kind) {
    if (kind == StoreKind::sqlite) {
      open({.url = "sqlite::memory:"});
    } else {
      store_ = make_memory_store(*clock_);
    }
  }
  explicit Opened(MemoryStoreOptions options)
      : store_(make_memory_store(*clock_, std::move(options))) {}
  explicit Opened(const Options& options) { open(options); }

  bool ok() const { return store_ != nullptr; }
  const Error& error() const { return error_; }
  Store* operator->() { return store_.get(); }
  runtime::Clock& clock() { return *clock_; }

  template <typename T>
  T run(Task<T> task) {
    return loop_->run(std::move(task));
  }

  /// Lets the virtual time pass.
  void pass(Duration duration) { loop_->run(loop_->clock().sleep_for(duration)); }
  /// From now on the store's clock is ahead by that.
  void set_clock_ahead(Duration error) { clock_->set_error(error); }

 private:
  void open(const Options& options) {
    auto opened = Store::open(options, *offload_, *offload_, *clock_);
    if (opened) {
      store_ = std::move(*opened);
    } else {
      error_ = std::move(opened.error());
    }
  }

  std::unique_ptr<runtime::EventLoop> loop_ = runtime::make_virtual_loop(test_start);
  std::unique_ptr<runtime::WrongClock> clock_ =
      std::make_unique<runtime::WrongClock>(loop_->clock());
  std::unique_ptr<runtime::Offload> offload_ = runtime::make_inline_offload();
  std::unique_ptr<Store> store_;
  Error error_;
};

inline Domain some_domain(const std::string& name) {
  Domain domain;
  domain.name = Fqdn::literal(name);
  return domain;
}

inline Event some_event(const std::string& event, const std::string& domain = "") {
  Event made;
  made.at = test_start;
  if (!domain.empty()) made.domain = Fqdn::literal(domain);
  made.event = event;
  return made;
}

inline Certificate some_certificate(const std::string& serial, Time not_before = test_start) {
  Certificate certificate;
  certificate.serial = Serial(serial);
  certificate.names = {Fqdn::literal("a.example")};
  certificate.issuer = "Some CA";
  certificate.not_before = not_before;
  certificate.not_after = not_before + std::chrono::days(90);
  certificate.fingerprint = Fingerprint("f" + serial);
  certificate.vault_name = VaultName("files");
  certificate.vault = {.csr = "c", .private_key = "k", .fullchain = "f"};
  certificate.targets = {{TargetName("edge"), Installed::installed}};
  certificate.served = true;
  return certificate;
}

/// A store with the domains a.example and b.example. What is derived from it is run on each kind
/// by CERTHERD_ON_EACH_STORE.
class StoreTest : public testing::TestWithParam<StoreKind> {
 protected:
  void SetUp() override {
    ASSERT_TRUE(store.ok()) << store.error().message();
    std::vector<Domain> domains = {some_domain("b.example"), some_domain("a.example")};
    auto added = run(store->add_domains(std::move(domains), {}));
    ASSERT_TRUE(added) << added.error().message();
  }

  template <typename T>
  T run(Task<T> task) {
    return store.run(std::move(task));
  }

  DomainRow domain(const std::string& name) {
    auto row = run(store->domain(Fqdn::literal(name)));
    EXPECT_TRUE(row) << row.error().message();
    return row ? std::move(*row) : DomainRow();
  }

  Issuance fresh_issuance(const std::string& name) {
    Issuance issuance;
    issuance.domain_id = domain(name).domain.id;
    issuance.domain = Fqdn::literal(name);
    issuance.names = {issuance.domain};
    issuance.created_at = test_start;
    issuance.next_at = test_start;
    return issuance;
  }

  Issuance started(const std::string& name, Step step = Step::create_key) {
    auto issuance = fresh_issuance(name);
    issuance.step = step;
    auto result = run(store->start(std::move(issuance), {}));
    EXPECT_TRUE(result) << result.error().message();
    return result ? std::move(*result) : Issuance();
  }

  std::vector<std::string> event_names(EventQuery query = {}) {
    auto events = run(store->events(std::move(query)));
    EXPECT_TRUE(events) << events.error().message();
    std::vector<std::string> names;
    if (events) {
      for (const auto& each : *events) names.push_back(each.event.event);
    }
    return names;
  }

  Opened store{GetParam()};
};

/// Runs the tests of a fixture, TEST_P(Fixture, Name), as Stores/Fixture.Name/sqlite and so on.
#define CERTHERD_ON_EACH_STORE(Fixture)                                                            \
  INSTANTIATE_TEST_SUITE_P(Stores, Fixture, testing::Values(StoreKind::sqlite, StoreKind::memory), \
                           [](const testing::TestParamInfo<StoreKind>& info) {                     \
                             return info.param == StoreKind::sqlite ? "sqlite" : "memory";         \
                           })

}  // namespace certherd::store
