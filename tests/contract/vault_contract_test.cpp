#include "contract/vault_contract.hpp"

#include <vector>

#include "fakes/fake_vault.hpp"
#include "fakes/temporary_folder.hpp"
#include "runtime/offload.hpp"
#include "vault/directory.hpp"

namespace certherd::contract {
namespace {

class FakeVaultSetup final : public VaultSetup {
 public:
  runtime::EventLoop& loop() override { return *loop_; }
  vault::Vault& vault() override { return vault_; }

 private:
  std::unique_ptr<runtime::EventLoop> loop_ = runtime::make_event_loop();
  fakes::FakeVault vault_;
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

std::vector<VaultCase> cases() {
  return {{"Fake", [] { return std::make_unique<FakeVaultSetup>(); }},
          {"Directory", [] { return std::make_unique<DirectorySetup>(); }}};
}

INSTANTIATE_TEST_SUITE_P(Vaults, VaultContract, testing::ValuesIn(cases()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace certherd::contract
