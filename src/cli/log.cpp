#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <memory>

#include "cli/context.hpp"
#include "cli/table.hpp"

namespace certherd::cli {
namespace {

struct Options {
  std::string name;
  std::string since;
};

Result<Time> parse_since(const std::string& text, Time now) {
  if (auto time = parse_time(text)) return *time;
  if (auto ago = parse_duration(text)) return now - *ago;
  return fail(Error::Kind::misconfigured, "--since",
              fmt::format("\"{}\" is neither a time such as 2026-11-23T12:00:00Z nor a span such "
                          "as 24h",
                          text));
}

std::string detail_text(const Event& event) {
  std::string text;
  for (const auto& [key, value] : event.detail) {
    if (!text.empty()) text += ' ';
    text += key;
    text += '=';
    text += value;
  }
  return text;
}

boost::json::object event_json(const Event& event) {
  boost::json::object detail;
  for (const auto& [key, value] : event.detail) detail[key] = value;
  return {{"at", format_time(event.at)},
          {"domain", event.domain.text()},
          {"event", event.event},
          {"detail", std::move(detail)}};
}

Task<int> print_log(app::App* app, Context context, Options options) {
  store::EventQuery query;
  if (!options.name.empty()) {
    auto name = Fqdn::parse(options.name);
    if (!name) co_return report(context, name.error());
    query.domain = *name;
  }
  if (!options.since.empty()) {
    auto since = parse_since(options.since, app->loop().clock().now());
    if (!since) co_return report(context, since.error());
    query.since = *since;
  }
  auto events = co_await app->store().events(std::move(query));
  if (!events) co_return report(context, events.error());
  if (context.json) {
    boost::json::array documents;
    for (const auto& numbered : *events) documents.push_back(event_json(numbered.event));
    print_json(boost::json::object{{"events", std::move(documents)}});
    co_return all_done;
  }
  Table table({"AT", "DOMAIN", "EVENT", "DETAIL"});
  for (const auto& [number, event] : *events) {
    table.add({format_time(event.at), event.domain.text(), event.event, detail_text(event)});
  }
  table.print("no events");
  co_return all_done;
}

}  // namespace

void add_log(CLI::App& parent, Context& context) {
  auto* command = parent.add_subcommand("log", "The audit trail: what was done, when, and why not");
  command->footer(
      "Examples:\n"
      "  certherd log www.example.com\n"
      "  certherd log --since 24h\n"
      "  certherd log --since 2026-11-23T00:00:00Z --json");
  auto options = std::make_shared<Options>();
  command->add_option("NAME", options->name, "Only this domain")->type_name("DOMAIN");
  command->add_option("--since", options->since, "Only from this time, or this long ago, on")
      ->type_name("T");
  command->callback([&context, options] {
    context.action = [&context, options] {
      return with_app(context, [&](app::App* app) { return print_log(app, context, *options); });
    };
  });
}

}  // namespace certherd::cli
