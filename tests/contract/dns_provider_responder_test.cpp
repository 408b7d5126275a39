#include "dns/responder/responder.hpp"
#include "dns_provider_contract.hpp"
#include "runtime/event_loop.hpp"

namespace certherd::contract {
namespace {

class ResponderSubject final : public DnsProviderSubject {
 public:
  ResponderSubject() {
    dns::ResponderOptions options;
    options.listen = {{.address = "127.0.0.1", .port = 0}};
    options.zones = {outer_zone(), inner_zone()};
    responder_ = std::move(*dns::Responder::start(*serving_loop_, std::move(options), {}));
  }
  ~ResponderSubject() override { serving_loop_->run(responder_->stop()); }
  ResponderSubject(const ResponderSubject&) = delete;
  ResponderSubject& operator=(const ResponderSubject&) = delete;

  runtime::EventLoop& loop() override { return *loop_; }
  dns::Provider& provider() override { return *responder_; }
  Fqdn outer_zone() const override { return Fqdn::literal("outer.example"); }
  Fqdn inner_zone() const override { return Fqdn::literal("inner.outer.example"); }

 private:
  // The servers wait on a loop of their own, since a loop does not end a run while tasks are left
  // on it; the calls of a provider touch neither.
  std::unique_ptr<runtime::EventLoop> serving_loop_ = runtime::make_event_loop();
  std::unique_ptr<runtime::EventLoop> loop_ = runtime::make_event_loop();
  std::unique_ptr<dns::Responder> responder_;
};

struct MakeResponder {
  std::unique_ptr<DnsProviderSubject> operator()() const {
    return std::make_unique<ResponderSubject>();
  }
};

INSTANTIATE_TYPED_TEST_SUITE_P(Responder, DnsProviderContract, MakeResponder);

}  // namespace
}  // namespace certherd::contract
