#pragma once

#include <boost/json/object.hpp>
#include <map>
#include <optional>
#include <string>
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

/// What came of requests.
struct WorkResults {
  std::vector<boost::json::object> results;  ///< RESULT, in the order of the requests
  /// Of each outcome.
  std::map<std::string, int> counts = {
      {"issued", 0}, {"current", 0}, {"deferred", 0}, {"failed", 0}};
  ExitStatus status = all_done;
};

/// Has the requests carried out with progress shown. Ctrl-C and SIGTERM save everything and end
/// it, and so does `until`; a second signal ends it at once. `done` may be null. Errors: what kept
/// all of it from being done.
Task<Result<WorkResults>> work_off(app::App* app, Context context,
                                   std::vector<WorkRequest> requests, WorkDone* done = nullptr,
                                   std::optional<Time> until = std::nullopt);

/// The results as a table, and a line with the counts behind it.
void print_results(const WorkResults& results);
void print_counts(const WorkResults& results);

/// {"results", "summary"}.
boost::json::object results_json(const WorkResults& results);

/// work_off() with its results printed; gives the exit status.
Task<int> carry_out(app::App* app, Context context, std::vector<WorkRequest> requests,
                    WorkDone* done = nullptr);

/// Leaves out domains that are held, and says how many. What was begun for one goes on.
void leave_out_held(std::vector<store::DomainRow>& rows, Time now);

/// A request of that kind for a domain of the inventory.
WorkRequest request_for(const Domain& domain, WorkRequest::Kind kind);

}  // namespace certherd::cli
