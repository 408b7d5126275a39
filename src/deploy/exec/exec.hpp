#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "deploy/target.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/offload.hpp"

namespace certherd::deploy {

/// What a program may be asked to do: CERTHERD_ACTION.
enum class Action { install, retire, observe, check };

/// By the names of the config and of CERTHERD_ACTION.
std::optional<Action> parse_action(std::string_view name);
std::string_view to_string(Action action);

struct ExecOptions {
  std::vector<std::string> command;
  std::set<Action> actions = {
      Action::install};                         ///< that the program knows; no other is asked of it
  Duration timeout = std::chrono::seconds(60);  ///< of one run
  std::size_t at_once = 4;                      ///< runs at one time
  std::set<std::string> withheld = {};  ///< variables that hold our secrets: not for the program
};

/// A program that installs, with the protocol of docs/targets.md: variables and files in, exit
/// status out. May block on the disk, for what a killed process has left.
std::unique_ptr<Target> make_exec(runtime::EventLoop& loop, runtime::Offload& offload,
                                  ExecOptions options);

}  // namespace certherd::deploy
