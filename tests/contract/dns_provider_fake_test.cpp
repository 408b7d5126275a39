#include "dns_provider_contract.hpp"
#include "runtime/virtual_loop.hpp"
#include "sim/fake_dns_provider.hpp"

namespace certherd::contract {
namespace {

class FakeSubject final : public DnsProviderSubject {
 public:
  FakeSubject() {
    fake_.set_answer_after(std::chrono::milliseconds(200));
    fake_.set_in_sync_after(std::chrono::seconds(45));
  }
  runtime::EventLoop& loop() override { return *loop_; }
  dns::Provider& provider() override { return fake_; }
  Fqdn outer_zone() const override { return Fqdn::literal("outer.example"); }
  Fqdn inner_zone() const override { return Fqdn::literal("inner.outer.example"); }

 private:
  std::unique_ptr<runtime::EventLoop> loop_ = runtime::make_virtual_loop(Time());
  sim::FakeDnsProvider fake_{loop_->clock(),
                             {{ZoneId("Z1"), outer_zone()}, {ZoneId("Z2"), inner_zone()}}};
};

struct MakeFake {
  std::unique_ptr<DnsProviderSubject> operator()() const { return std::make_unique<FakeSubject>(); }
};

INSTANTIATE_TYPED_TEST_SUITE_P(Fake, DnsProviderContract, MakeFake);

}  // namespace
}  // namespace certherd::contract
