#pragma once

#include <string>

#include "app/app.hpp"
#include "base/result.hpp"
#include "runtime/task.hpp"
#include "runtime/task_group.hpp"

namespace certherd::app {

/// Answers for the config's responders while no executor does: a responder answers only as long as
/// certherd works, so whoever looks at the DNS from outside needs one. Holds the lease meanwhile,
/// and gives it up as soon as somebody wants something done, unless told to stay.
class StandIn {
 public:
  explicit StandIn(App& app);
  ~StandIn();

  /// Takes the lease if it is free, and starts DNS. Errors: those of App::start_dns(), the store's.
  Task<Status> begin(bool stays);

  /// Whether it answers now, and holds the lease.
  bool answers() const { return answers_; }

  /// "process 4711", when begin() found that one with the lease; else empty.
  const std::string& executor() const { return executor_; }

  /// Ends it, also when begin() failed; before this goes.
  Task<void> end();

 private:
  Task<void> keep(bool stays);
  Task<bool> wanted_by_others();
  Task<void> give_up();

  App& app_;
  std::string owner_;
  std::string executor_;
  bool holds_lease_ = false;
  bool started_ = false;
  bool answers_ = false;
  runtime::TaskGroup keeper_;
};

}  // namespace certherd::app
