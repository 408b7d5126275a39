#pragma once

#include <memory>

#include "contract/target_contract.hpp"
#include "fakes/acm_stage.hpp"

namespace certherd::contract {

/// The target `acm` on a scripted Certificate Manager.
class AcmSetup final : public TargetSetup {
 public:
  runtime::EventLoop& loop() override { return stage_.loop(); }
  deploy::Target& target() override { return *target_; }

 private:
  fakes::AcmStage stage_;
  std::unique_ptr<deploy::Target> target_ = stage_.target();
};

}  // namespace certherd::contract
