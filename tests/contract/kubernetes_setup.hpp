#pragma once

#include "contract/target_contract.hpp"
#include "fakes/kubernetes_stage.hpp"

namespace certherd::contract {

/// The target `kubernetes` on a scripted cluster.
class KubernetesSetup final : public TargetSetup {
 public:
  runtime::EventLoop& loop() override { return stage_.loop(); }
  deploy::Target& target() override { return stage_.target(); }

 private:
  fakes::KubernetesStage stage_;
};

}  // namespace certherd::contract
