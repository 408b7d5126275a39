#include "app/inventory_feed.hpp"

#include <fmt/format.h>

#include "app/inventory_check.hpp"
#include "base/log.hpp"
#include "base/private_folder.hpp"
#include "base/versioned_folder.hpp"
#include "policy/maintenance_window.hpp"
#include "runtime/process.hpp"
#include "runtime/together.hpp"

namespace certherd::app {
namespace {

constexpr std::size_t most_last_words = 400;

std::string last_words(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  if (text.size() > most_last_words) text.erase(0, text.size() - most_last_words);
  return text.empty() ? "it says nothing" : text;
}

tl::unexpected<Error> bad_feed(const std::string& name, std::string detail) {
  return fail(Error::Kind::misconfigured, fmt::format("read [inventory.{}]", name),
              std::move(detail));
}

}  // namespace

Task<Result<InventoryFile>> read_feed(App* app, std::string name) {
  const auto& feed = app->config().inventories.at(name);
  // Into a file: an inventory may be larger than what is kept of a program's output.
  auto make = [] { return PrivateFolder::make({}); };
  auto folder = co_await app->offload().call(std::move(make));
  if (!folder) co_return fail(std::move(folder.error()));
  const auto printed = folder->path() / "inventory";
  runtime::Command command;
  command.arguments = feed.command;
  command.withheld = app->config().secret_variables;
  command.log_file = printed;
  command.errors_apart = true;
  const Time deadline = app->loop().clock().now() + feed.timeout;
  auto result = co_await runtime::run_command(&app->loop(), std::move(command), deadline);
  if (!result)
    co_return fail(std::move(result.error()).during(fmt::format("[inventory.{}]", name)));
  if (result->exit_status != 0) {
    co_return bad_feed(name, fmt::format("{} ended with {}: {}", feed.command.front(),
                                         result->exit_status, last_words(result->errors)));
  }
  auto read = [printed]() -> Result<InventoryFile> {
    auto text = read_file(printed, inventory_limit);
    if (!text) return fail(std::move(text.error()));
    return read_inventory(*text);
  };
  auto file = co_await app->offload().call(std::move(read));
  if (!file) co_return fail(std::move(file.error()).during(fmt::format("[inventory.{}]", name)));
  for (const auto& row : file->rows) {
    for (auto& misfit : misfits(app->config(), row.domain)) {
      file->faults.add(row.number, std::move(misfit));
    }
  }
  if (!file->faults.empty()) {
    co_return fail(file->faults.error().during(fmt::format("[inventory.{}]", name)));
  }
  co_return file;
}

Task<void> InventoryFeeds::run() {
  std::vector<Task<void>> following;
  for (const auto& [name, feed] : app_.config().inventories) following.push_back(follow(name));
  co_await runtime::together(std::move(following));
}

Task<void> InventoryFeeds::follow(std::string name) {
  while (true) {
    auto status = co_await take(name);
    co_await tell(name, std::move(status));
    co_await app_.loop().clock().sleep_for(app_.config().inventories.at(name).every);
  }
}

Task<Status> InventoryFeeds::take(std::string name) {
  const auto& feed = app_.config().inventories.at(name);
  auto file = co_await read_feed(&app_, name);
  if (!file) co_return fail(std::move(file.error()));
  auto inventory = co_await app_.store().domains();
  if (!inventory) co_return fail(std::move(inventory.error()));
  const auto plan = plan_sync(*inventory, file->rows, feed.prune);
  if (plan.empty()) co_return Status{};
  if (plan.touched() > plan.allowance()) {
    co_return bad_feed(
        name, fmt::format("it would change {} and disable {} of {} domains, more than a tenth of "
                          "the inventory, and nothing was changed: look at `certherd domain sync "
                          "--feed {} --dry-run`, and do it with --yes if it is meant",
                          plan.changed.size(), plan.disabled.size(), plan.before, name));
  }
  const Time now = app_.loop().clock().now();
  auto change = to_change(plan, now);
  change.events.push_back({.at = now,
                           .domain = {},
                           .event = "inventory.synced",
                           .detail = {{"inventory", name},
                                      {"added", std::to_string(plan.added.size())},
                                      {"changed", std::to_string(plan.changed.size())},
                                      {"disabled", std::to_string(plan.disabled.size())}}});
  for (const auto& disabled : plan.disabled) {
    if (!feed.retire) break;
    if (policy::is_held(disabled.after, now)) {
      log::info("{}: it is held, and stays on its targets", disabled.after.name);
      continue;
    }
    WorkRequest request;
    // Of no process, so that it outlives this one.
    request.owner = fmt::format("[inventory.{}]", name);
    request.batch = fmt::format("{}/{}", request.owner, to_micros(now));
    request.kind = WorkRequest::Kind::retire;
    request.domain_id = disabled.after.id;
    request.domain = disabled.after.name;
    request.requested_at = now;
    change.requests.push_back(std::move(request));
  }
  auto written = co_await app_.store().change_inventory(std::move(change));
  if (!written) co_return written;
  log::info("[inventory.{}]: {} added, {} changed, {} disabled", name, plan.added.size(),
            plan.changed.size(), plan.disabled.size());
  changed_();
  co_return Status{};
}

// A feed that fails in the same way again and again is told once.
Task<void> InventoryFeeds::tell(std::string name, Status status) {
  const auto words = status ? std::string() : status.error().message();
  if (std::exchange(told_[name], words) == words) co_return;  // at first nothing was wrong
  Event event{.at = app_.loop().clock().now(),
              .domain = {},
              .event = status ? "inventory.recovered" : "inventory.refused",
              .detail = {{"inventory", name}}};
  if (!status) {
    log::error("{}", words);
    for (const auto& cause : status.error().causes) log::error("{}", cause.message());
    event.detail["error"] = words;
  }
  std::vector<Event> events = {std::move(event)};
  auto written = co_await app_.store().append(std::move(events));
  if (!written) log::warning("{}", written.error().message());
}

}  // namespace certherd::app
