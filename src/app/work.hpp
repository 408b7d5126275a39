#pragma once

#include <boost/json/object.hpp>
#include <memory>
#include <vector>

#include "app/app.hpp"
#include "fleet/executor.hpp"
#include "model/request.hpp"

namespace certherd::app {

/// Has work done for a store: writes the requests, executes them when nobody else does, and
/// follows the executor otherwise. So every command works beside a running one.
class Work {
 public:
  explicit Work(App& app);
  ~Work();

  /// The results of the requests, in their order; fewer when it was interrupted. Called once.
  /// Errors: what kept all of it from being done; conflict when the lease was lost on the way.
  Task<Result<std::vector<boost::json::object>>> carry_out(std::vector<WorkRequest> requests);

  /// Ends carry_out() soon, with the results so far; everything begun is saved.
  void interrupt();
  bool interrupted() const { return interrupted_; }

  /// How far it is, as far as this process knows.
  fleet::Progress progress() const;

 private:
  Task<Status> execute();
  Task<Result<std::vector<boost::json::object>>> results();

  App& app_;
  std::string owner_;
  std::string batch_;
  int total_ = 0;
  int finished_ = 0;
  bool interrupted_ = false;
  std::unique_ptr<fleet::Executor> executor_;
};

}  // namespace certherd::app
