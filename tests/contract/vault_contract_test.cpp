#include "contract/vault_contract.hpp"

#include <vector>

#include "fakes/secrets_manager_stage.hpp"
#include "fakes/temporary_folder.hpp"
#include "runtime/offload.hpp"
#include "sim/fake_vault.hpp"
#include "vault/directory.hpp"

namespace certherd::contract {
namespace {

class FakeVaultSetup final : public VaultSetup {
 public:
  runtime::EventLoop& loop() override { return *loop_; }
  vault::Vault& vault() override { return vault_; }

 private:
  std::unique_ptr<runtime::EventLoop> loop_ = runtime::make_event_loop();
  sim::FakeVault vault_;
};

class DirectorySetup final : public VaultSetup {
 public:
  runtime::EventLoop& loop() override { return *loop_; }
  vault::Vault& vault() override { return *vault_; }

 private:
  fakes::TemporaryFolder folder_;
  std::unique_ptr<runtime::EventLoop> loop_ = runtime::make_event_loop();
  std::unique_ptr<runtime::Offload> offload_ = runtime::make_thread_offload(*loop_, 3);
  std::unique_ptr<vault::Vault> vault_ = vault::make_directory(*offload_, folder_.path() / "vault");
};

/// On the virtual clock, where each call takes its time.
class SecretsManagerSetup final : public VaultSetup {
 public:
  explicit SecretsManagerSetup(vault::SecretsManagerOptions::Layout layout)
      : vault_(stage_.vault({.prefix = "tls/", .layout = layout, .kms_key_id = ""})) {
    stage_.take_time(std::chrono::milliseconds(100));
  }

  runtime::EventLoop& loop() override { return stage_.loop(); }
  vault::Vault& vault() override { return *vault_; }

 private:
  fakes::SecretsManagerStage stage_;
  std::unique_ptr<vault::Vault> vault_;
};

std::vector<VaultCase> cases() {
  using Layout = vault::SecretsManagerOptions::Layout;
  return {
      {"Fake", [] { return std::make_unique<FakeVaultSetup>(); }},
      {"Directory", [] { return std::make_unique<DirectorySetup>(); }},
      {"SecretsManager", [] { return std::make_unique<SecretsManagerSetup>(Layout::separate); }},
      {"SecretsManagerBundle",
       [] { return std::make_unique<SecretsManagerSetup>(Layout::bundle); }}};
}

INSTANTIATE_TEST_SUITE_P(Vaults, VaultContract, testing::ValuesIn(cases()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace certherd::contract
