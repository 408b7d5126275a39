#include "cli/work_command.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <csignal>
#include <map>
#include <string_view>

#include "app/work.hpp"
#include "base/log.hpp"
#include "cli/progress.hpp"
#include "cli/table.hpp"
#include "policy/maintenance_window.hpp"
#include "runtime/signals.hpp"
#include "runtime/task_group.hpp"

namespace certherd::cli {
namespace {

namespace json = boost::json;

constexpr int signal_status = 128;

// SIGTERM asks for a drain, which is a success, and so does a terminal that goes away; Ctrl-C is an
// interruption.
Task<void> watch_signals(runtime::EventLoop* loop, app::Work* work, WorkDone* done, int* signal) {
  if (done != nullptr) done->minds_signals = true;
  *signal = co_await runtime::wait_for_termination(loop);
  log::info("saving what is under way (once more to end at once)");
  work->interrupt();
  const int again = co_await runtime::wait_for_termination(loop);
  // Every step is journalled before it is begun, so ending here loses nothing either.
  _exit(signal_status + again);
}

Task<void> interrupt_at(runtime::Clock* clock, Time until, app::Work* work) {
  co_await clock->sleep_for(until - clock->now());
  log::info("the time is over: saving what is under way");
  work->interrupt();
}

std::string text_of(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  if (value == nullptr || !value->is_string()) return {};
  return std::string(value->get_string());
}

std::string error_of(const json::object& result) {
  const auto* error = result.if_contains("error");
  if (error == nullptr || !error->is_object()) return {};
  return text_of(error->get_object(), "op") + ": " + text_of(error->get_object(), "detail");
}

std::string served_of(const json::object& result) {
  const auto* served = result.if_contains("served");
  if (served == nullptr || !served->is_bool()) return "-";
  return served->get_bool() ? "yes" : "no";
}

bool installed_everywhere(const json::object& result) {
  const auto* targets = result.if_contains("targets");
  if (targets == nullptr || !targets->is_object() || targets->get_object().empty()) return false;
  return std::ranges::none_of(targets->get_object(),
                              [](const auto& target) { return target.value() == "failed"; });
}

WorkDone count(const std::vector<json::object>& results) {
  WorkDone done;
  for (const auto& result : results) {
    if (!text_of(result, "serial").empty()) done.issued += 1;
    if (const auto* vault = result.if_contains("vault"); vault && vault->is_object()) {
      done.stored += 1;
    }
    if (installed_everywhere(result)) done.installed += 1;
    if (served_of(result) == "yes") done.served += 1;
  }
  return done;
}

}  // namespace

void leave_out_held(std::vector<store::DomainRow>& rows, Time now) {
  const auto held = std::erase_if(rows, [now](const store::DomainRow& row) {
    return row.domain.enabled && !row.working && policy::is_held(row.domain, now);
  });
  if (held == 0) return;
  log::info("{} left out; what is asked for by name is done all the same",
            held == 1 ? "1 domain is held and" : fmt::format("{} domains are held and", held));
}

WorkRequest request_for(const Domain& domain, WorkRequest::Kind kind) {
  WorkRequest request;
  request.kind = kind;
  request.domain_id = domain.id;
  request.domain = domain.name;
  return request;
}

Task<Result<WorkResults>> work_off(app::App* app, Context context,
                                   std::vector<WorkRequest> requests, WorkDone* done,
                                   std::optional<Time> until) {
  const auto asked = requests.size();
  app::Work work(*app);
  int signal = 0;
  Result<std::vector<json::object>> results;
  {
    const auto text = [&work](Duration elapsed) { return progress_text(work.progress(), elapsed); };
    ProgressDisplay display(app->loop().clock(), text, context.quiet);
    runtime::TaskGroup background(app->loop());
    background.spawn(watch_signals(&app->loop(), &work, done, &signal));
    background.spawn(display.run());
    if (until) background.spawn(interrupt_at(&app->loop().clock(), *until, &work));
    results = co_await work.carry_out(std::move(requests));
    background.cancel();
    co_await background.join();
  }
  if (!results) co_return fail(std::move(results.error()));

  WorkResults worked;
  for (const auto& result : *results) worked.counts[text_of(result, "outcome")] += 1;
  if (done != nullptr) *done = count(*results);
  const bool complete = results->size() == asked;
  const bool good = complete && worked.counts["failed"] + worked.counts["deferred"] == 0;
  worked.results = std::move(*results);
  worked.status = good ? all_done : some_failed;
  if (signal == SIGINT) worked.status = interrupted;
  if (signal == SIGTERM || signal == SIGHUP) worked.status = all_done;
  co_return worked;
}

void print_results(const WorkResults& results) {
  Table table({"DOMAIN", "OUTCOME", "NOT AFTER", "SERIAL", "SERVED", "ERROR"});
  for (const auto& result : results.results) {
    table.add({text_of(result, "domain"), text_of(result, "outcome"), text_of(result, "not_after"),
               text_of(result, "serial"), served_of(result), error_of(result)});
  }
  if (!results.results.empty()) table.print();
}

void print_counts(const WorkResults& results) {
  const auto& counts = results.counts;
  fmt::print("{} issued · {} current · {} deferred · {} failed\n", counts.at("issued"),
             counts.at("current"), counts.at("deferred"), counts.at("failed"));
}

json::object results_json(const WorkResults& results) {
  json::array documents;
  for (const auto& result : results.results) documents.emplace_back(result);
  json::object summary;
  for (const auto& [outcome, count] : results.counts) summary[outcome] = count;
  return {{"results", std::move(documents)}, {"summary", std::move(summary)}};
}

Task<int> carry_out(app::App* app, Context context, std::vector<WorkRequest> requests,
                    WorkDone* done) {
  auto worked = co_await work_off(app, context, std::move(requests), done);
  if (!worked) co_return report(context, worked.error());
  if (context.json) {
    print_json(results_json(*worked));
  } else {
    print_results(*worked);
    print_counts(*worked);
  }
  co_return worked->status;
}

}  // namespace certherd::cli
