#include "dns_provider_contract.hpp"
#include "fakes/route53_stage.hpp"

namespace certherd::contract {
namespace {

class Route53Subject final : public DnsProviderSubject {
 public:
  Route53Subject() {
    stage_.add_zone("Z1OUTER", outer_zone().text());
    stage_.add_zone("Z2INNER", inner_zone().text());
  }
  runtime::EventLoop& loop() override { return *stage_.loop; }
  dns::Provider& provider() override { return *stage_.provider; }
  Fqdn outer_zone() const override { return Fqdn::literal("outer.example"); }
  Fqdn inner_zone() const override { return Fqdn::literal("inner.outer.example"); }

 private:
  fakes::Route53Stage stage_;
};

struct MakeRoute53 {
  std::unique_ptr<DnsProviderSubject> operator()() const {
    return std::make_unique<Route53Subject>();
  }
};

INSTANTIATE_TYPED_TEST_SUITE_P(Route53, DnsProviderContract, MakeRoute53);

}  // namespace
}  // namespace certherd::contract
