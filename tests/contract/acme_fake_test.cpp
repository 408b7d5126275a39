#include "contract/acme_accounts_contract.hpp"
#include "runtime/random.hpp"
#include "runtime/virtual_loop.hpp"
#include "sim/fake_ca.hpp"

namespace certherd::contract {
namespace {

class FakeCaSetup final : public CaSetup {
 public:
  runtime::EventLoop& loop() override { return *loop_; }
  std::unique_ptr<acme::Client> client(const crypto::PrivateKey& key) override {
    return ca_.client(key);
  }

 private:
  std::unique_ptr<runtime::EventLoop> loop_ =
      runtime::make_virtual_loop(*parse_time("2026-11-23T12:00:00Z"));
  runtime::SeededRandom random_{1};
  sim::FakeCa ca_{loop_->clock(), random_, [](const Fqdn&, const TxtValue&) { return true; }};
};

INSTANTIATE_TEST_SUITE_P(Fake, AccountsContract,
                         testing::Values(CaCase{"Ca",
                                                [] { return std::make_unique<FakeCaSetup>(); }}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace certherd::contract
