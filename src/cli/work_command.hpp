#pragma once

#include <vector>

#include "cli/context.hpp"
#include "model/request.hpp"

namespace certherd::cli {

/// How many domains came how far.
struct WorkDone {
  bool minds_signals = false;  ///< from then on carry_out() itself sees to Ctrl-C and SIGTERM
  int issued = 0;
  int stored = 0;
  int installed = 0;
  int served = 0;
};

/// Has the requests carried out with progress shown, prints their results, and gives the exit
/// status. Ctrl-C and SIGTERM save everything and end it; a second one ends it at once.
/// `done` may be null.
Task<int> carry_out(app::App* app, Context context, std::vector<WorkRequest> requests,
                    WorkDone* done = nullptr);

/// A request of that kind for a domain of the inventory.
WorkRequest request_for(const Domain& domain, WorkRequest::Kind kind);

}  // namespace certherd::cli
