#pragma once

#include <memory>
#include <utility>

#include "aws/session.hpp"
#include "deploy/acm/acm.hpp"
#include "fakes/issued_material.hpp"
#include "fakes/memory_budget.hpp"
#include "fakes/scripted_acm.hpp"
#include "runtime/virtual_loop.hpp"

namespace certherd::fakes {

/// A scripted Certificate Manager, a session that may call it, and a CA, on the virtual clock.
class AcmStage {
 public:
  /// `attempts`: how often a call is tried.
  explicit AcmStage(int attempts = 3) : settings_(aws_settings(attempts)) {}

  std::unique_ptr<deploy::Target> target(deploy::AcmOptions options = {}) {
    return deploy::make_acm(session_, *offload_, budget_, std::move(options));
  }

  /// Lets each call take up to so long.
  void take_time(Duration most) {
    aws_.set_delay([this, most] {
      const auto part = random_.uniform(0, static_cast<std::uint64_t>(most.count()));
      return loop_->clock().sleep_for(Duration(part));
    });
  }

  template <typename T>
  T run(Task<T> task) {
    return loop_->run(std::move(task));
  }

  runtime::EventLoop& loop() { return *loop_; }
  ScriptedAcm& aws() { return aws_; }
  const Issuer& issuer() const { return issuer_; }
  MemoryBudget& budget() { return budget_; }

 private:
  std::unique_ptr<runtime::EventLoop> loop_ =
      runtime::make_virtual_loop(Time(std::chrono::days(20'781)));
  std::unique_ptr<runtime::Offload> offload_ = runtime::make_inline_offload();
  runtime::SeededRandom random_{4};
  Issuer issuer_{loop_->clock().now()};
  ScriptedAcm aws_{aws_credentials(), [this] { return loop_->clock().now(); }};
  MemoryBudget budget_{loop_->clock()};
  aws::Settings settings_;
  aws::Session session_{*loop_, *offload_, random_, aws_, settings_};
};

}  // namespace certherd::fakes
