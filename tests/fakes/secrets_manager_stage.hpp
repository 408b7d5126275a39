#pragma once

#include <memory>
#include <utility>

#include "aws/session.hpp"
#include "fakes/memory_budget.hpp"
#include "fakes/scripted_secrets_manager.hpp"
#include "runtime/virtual_loop.hpp"
#include "vault/secrets_manager/secrets_manager.hpp"

namespace certherd::fakes {

/// A scripted Secrets Manager, and a session that may call it, on the virtual clock.
class SecretsManagerStage {
 public:
  /// `attempts`: how often a call is tried.
  explicit SecretsManagerStage(int attempts = 3) : settings_(aws_settings(attempts)) {}

  std::unique_ptr<vault::SecretsManagerVault> vault(vault::SecretsManagerOptions options) {
    return vault::make_secrets_manager(session_, std::move(options), budget_);
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
  ScriptedSecretsManager& aws() { return aws_; }
  aws::Session& session() { return session_; }
  MemoryBudget& budget() { return budget_; }

 private:
  std::unique_ptr<runtime::EventLoop> loop_ =
      runtime::make_virtual_loop(Time(std::chrono::days(20'781)));
  std::unique_ptr<runtime::Offload> offload_ = runtime::make_inline_offload();
  runtime::SeededRandom random_{4};
  ScriptedSecretsManager aws_{aws_credentials(), [this] { return loop_->clock().now(); }};
  MemoryBudget budget_{loop_->clock()};
  aws::Settings settings_;
  aws::Session session_{*loop_, *offload_, random_, aws_, settings_};
};

}  // namespace certherd::fakes
