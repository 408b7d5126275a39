#pragma once

#include <fstream>
#include <memory>
#include <utility>

#include "contract/target_contract.hpp"
#include "deploy/exec/exec.hpp"
#include "fakes/temporary_folder.hpp"
#include "runtime/offload.hpp"

namespace certherd::contract {

/// A script that knows all actions and keeps a folder for each domain.
class ExecSetup final : public TargetSetup {
 public:
  ExecSetup() {
    const auto script = folder_.path() / "install.sh";
    std::ofstream(script) << R"(set -euf
place=$1/${CERTHERD_DOMAIN-}
case $CERTHERD_ACTION in
install)
  mkdir -p "$place"
  cp "$CERTHERD_FULLCHAIN" "$CERTHERD_PRIVATE_KEY" "$place"
  printf %s "$CERTHERD_SERIAL" >"$place/serial"
  ;;
observe) [ ! -e "$place/serial" ] || cat "$place/serial" ;;
retire) rm -r "$place" ;;
check) [ -d "$1" ] ;;
esac
)";
    deploy::ExecOptions options;
    options.command = {"sh", script.string(), folder_.path().string()};
    options.actions = {deploy::Action::install, deploy::Action::retire, deploy::Action::observe,
                       deploy::Action::check};
    target_ = deploy::make_exec(*loop_, *offload_, std::move(options));
  }
  runtime::EventLoop& loop() override { return *loop_; }
  deploy::Target& target() override { return *target_; }

 private:
  fakes::TemporaryFolder folder_;
  std::unique_ptr<runtime::EventLoop> loop_ = runtime::make_event_loop();
  std::unique_ptr<runtime::Offload> offload_ = runtime::make_thread_offload(*loop_, 2);
  std::unique_ptr<deploy::Target> target_;
};

}  // namespace certherd::contract
