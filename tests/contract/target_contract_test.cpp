#include "contract/target_contract.hpp"

#include <vector>

#include "contract/acm_setup.hpp"
#include "contract/exec_setup.hpp"
#include "contract/kubernetes_setup.hpp"
#include "deploy/files/files.hpp"
#include "fakes/fastly_target.hpp"
#include "fakes/temporary_folder.hpp"
#include "runtime/offload.hpp"
#include "sim/fake_target.hpp"

namespace certherd::contract {
namespace {

class FakeTargetSetup final : public TargetSetup {
 public:
  runtime::EventLoop& loop() override { return *loop_; }
  deploy::Target& target() override { return target_; }

 private:
  std::unique_ptr<runtime::EventLoop> loop_ = runtime::make_event_loop();
  sim::FakeTarget target_;
};

class FilesSetup final : public TargetSetup {
 public:
  explicit FilesSetup(std::vector<std::string> reload) {
    deploy::FilesOptions options;
    options.path = folder_.path() / "certs";
    options.reload = std::move(reload);
    options.gather = std::chrono::milliseconds(1);
    target_ = deploy::make_files(*loop_, *offload_, std::move(options));
  }
  runtime::EventLoop& loop() override { return *loop_; }
  deploy::Target& target() override { return *target_; }

 private:
  fakes::TemporaryFolder folder_;
  std::unique_ptr<runtime::EventLoop> loop_ = runtime::make_event_loop();
  std::unique_ptr<runtime::Offload> offload_ = runtime::make_thread_offload(*loop_, 2);
  std::unique_ptr<deploy::Target> target_;
};

std::unique_ptr<TargetSetup> files_with(std::vector<std::string> reload) {
  return std::make_unique<FilesSetup>(std::move(reload));
}

/// A Fastly on the virtual clock.
class FastlySetup final : public TargetSetup {
 public:
  explicit FastlySetup(bool bulk) {
    deploy::FastlyOptions options;
    options.bulk = bulk;
    if (bulk) {
      fastly_.put_configuration({.id = "cfg-bulk", .name = "bulk", .bulk = true});
      options.configuration_id = "cfg-bulk";
    }
    target_ = fakes::make_fastly_target(*loop_, *offload_, fastly_, budget_, std::move(options));
  }
  runtime::EventLoop& loop() override { return *loop_; }
  deploy::Target& target() override { return *target_; }

 private:
  std::unique_ptr<runtime::EventLoop> loop_ =
      runtime::make_virtual_loop(Time(std::chrono::days(20'783)));
  std::unique_ptr<runtime::Offload> offload_ = runtime::make_inline_offload();
  fakes::ScriptedFastly fastly_{"token", [this] { return loop_->clock().now(); }};
  fakes::MemoryBudget budget_{loop_->clock()};
  std::unique_ptr<deploy::Target> target_;
};

std::vector<TargetCase> cases() {
  return {{"Acm", [] { return std::make_unique<AcmSetup>(); }},
          {"Fake", [] { return std::make_unique<FakeTargetSetup>(); }},
          {"Files", [] { return files_with({}); }},
          {"FilesWithReload", [] { return files_with({"true"}); }},
          {.name = "Exec",
           .make = [] { return std::make_unique<ExecSetup>(); },
           .compares_contents = false},
          {"Kubernetes", [] { return std::make_unique<KubernetesSetup>(); }},
          {"Fastly", [] { return std::make_unique<FastlySetup>(false); }},
          {.name = "FastlyBulk",
           .make = [] { return std::make_unique<FastlySetup>(true); },
           .tells_versions = false}};
}

INSTANTIATE_TEST_SUITE_P(Targets, TargetContract, testing::ValuesIn(cases()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace certherd::contract
