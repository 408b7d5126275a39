#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <memory>

#include "app/notifiers.hpp"
#include "cli/context.hpp"
#include "cli/table.hpp"
#include "fleet/report.hpp"

namespace certherd::cli {
namespace {

using Sent = std::vector<std::pair<NotifierName, Status>>;

Result<std::vector<NotifierName>> chosen(const app::Config& config, const std::string& name) {
  std::vector<NotifierName> names;
  for (const auto& [each, read] : config.notifiers) {
    if (name.empty() || each.text() == name) names.push_back(each);
  }
  if (!names.empty()) return names;
  return fail(Error::Kind::misconfigured, "choose a notifier",
              name.empty() ? "there is no [notify.NAME] in the config: docs/notify.md shows some"
                           : fmt::format("there is no [notify.{}] in the config", name));
}

void print(const Context& context, const Sent& sent) {
  boost::json::array documents;
  Table table({"NOTIFIER", "STATE", "ERROR"});
  for (const auto& [name, status] : sent) {
    table.add({name.text(), status ? "sent" : "failed", status ? "" : status.error().message()});
    documents.push_back(boost::json::object{
        {"notifier", name.text()},
        {"sent", status.has_value()},
        {"error", status ? boost::json::value(nullptr)
                         : boost::json::value(fleet::to_json(status.error()))}});
  }
  if (context.json) {
    print_json(boost::json::object{{"notifiers", std::move(documents)}});
  } else {
    table.print();
  }
}

Task<int> send_tests(app::App* app, Context context, std::string name) {
  auto names = chosen(app->config(), name);
  if (!names) co_return report(context, names.error());
  const auto notifiers = app::open_notifiers(app->config(), app->loop(), app->offload());
  Sent sent;
  for (const auto& each : *names) {
    notify::Notice notice{.at = app->loop().clock().now(), .notifications = {}};
    auto status = co_await notifiers.opened.at(each)->send(std::move(notice));
    sent.emplace_back(each, std::move(status));
  }
  print(context, sent);
  const bool all =
      std::ranges::all_of(sent, [](const auto& each) { return each.second.has_value(); });
  co_return all ? all_done : some_failed;
}

}  // namespace

void add_notify(CLI::App& parent, Context& context) {
  auto* command = parent.add_subcommand("notify", "Who is told when something is wrong");
  command->footer("Example:\n  certherd notify test");
  require_command(*command);
  auto* test = command->add_subcommand("test", "Send a test to each notifier of the config");
  test->footer(
      "The test says of itself that it is one. Whatever filter `events` sets, it is sent. Exit\n"
      "status 1 when one could not be sent.\n\n"
      "Examples:\n"
      "  certherd notify test\n"
      "  certherd notify test mail");
  auto name = std::make_shared<std::string>();
  test->add_option("NAME", *name, "Only [notify.NAME]")->type_name("NOTIFIER");
  test->callback([&context, name] {
    context.action = [&context, name] {
      return with_app(context, [&](app::App* app) { return send_tests(app, context, *name); });
    };
  });
}

}  // namespace certherd::cli
