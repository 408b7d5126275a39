#include "cli/domain.hpp"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <set>

#include "app/inventory_check.hpp"
#include "base/log.hpp"
#include "cli/input.hpp"
#include "cli/progress.hpp"
#include "runtime/task_group.hpp"

namespace certherd::cli {
namespace {

namespace json = boost::json;

constexpr std::size_t told_warnings = 50;
constexpr Duration patience = std::chrono::seconds(1);

// A line that is gone before anybody has read it would only be noise.
Task<void> show_when_long(app::App* app, Context context, std::string what) {
  auto& clock = app->loop().clock();
  co_await clock.sleep_for(patience);
  const auto text = [what](Duration elapsed) {
    return what + " · " +
           format_duration(std::chrono::floor<std::chrono::seconds>(elapsed + patience));
  };
  ProgressDisplay display(clock, text, context.quiet);
  co_await display.run();
}

}  // namespace

Result<app::Columns> settings_from(const std::vector<std::string>& texts) {
  app::Columns columns;
  for (const auto& text : texts) {
    const auto equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      return fail(Error::Kind::misconfigured, "settings",
                  fmt::format("\"{}\" is not of the form KEY=VALUE", text));
    }
    const auto [setting, is_new] = columns.emplace(text.substr(0, equals), text.substr(equals + 1));
    if (!is_new) {
      return fail(Error::Kind::misconfigured, "settings",
                  fmt::format("\"{}\" is given twice", setting->first));
    }
  }
  return columns;
}

Task<Result<app::InventoryFile>> read_inventory(app::App* app, Context context, std::string path) {
  auto text = read_input(path, app::inventory_limit, "read the inventory");
  if (!text) co_return fail(std::move(text.error()));
  runtime::TaskGroup background(app->loop());
  background.spawn(show_when_long(app, context, "reading the inventory"));
  auto read = [text = std::move(*text)] { return app::read_inventory(text); };
  auto file = co_await app->offload().call(std::move(read));
  background.cancel();
  co_await background.join();
  if (!file) co_return file;
  for (const auto& row : file->rows) {
    for (auto& missing : app::misfits(app->config(), row.domain)) {
      file->faults.add(row.number, std::move(missing));
    }
  }
  co_return file;
}

json::array warn_about(const app::App& app, const std::vector<store::DomainRow>& inventory,
                       const std::vector<Domain>& changed) {
  std::set<Fqdn> names;
  std::set<std::string_view> metadata;
  std::vector<std::string> warnings;
  for (const auto& domain : changed) {
    names.insert(domain.name);
    for (const auto& [key, value] : domain.metadata) metadata.insert(key);
    for (auto& doubt : app::doubts_about(app.config(), domain)) {
      warnings.push_back(std::move(doubt));
    }
  }
  auto after = changed;
  after.reserve(changed.size() + inventory.size());
  for (const auto& row : inventory) {
    if (!names.contains(row.domain.name)) after.push_back(row.domain);
  }
  for (const auto& key : metadata) {
    if (const auto meant = app::meant_column(key); !meant.empty()) {
      warnings.push_back(fmt::format(
          "\"{}\" is kept as metadata: the column that certherd acts on is \"{}\"", key, meant));
    }
  }
  for (auto& shared : app::shared_names(after, names)) warnings.push_back(std::move(shared));

  json::array documents;
  documents.reserve(warnings.size());
  for (const auto& warning : warnings) {
    if (documents.size() < told_warnings) log::warning("{}", warning);
    documents.emplace_back(warning);
  }
  if (warnings.size() > told_warnings) {
    log::warning("and {} more like these", warnings.size() - told_warnings);
  }
  return documents;
}

json::object columns_json(const std::vector<app::ColumnChange>& columns) {
  json::object object;
  for (const auto& [column, from, to] : columns) {
    object[column] = json::object{{"from", from}, {"to", to}};
  }
  return object;
}

std::string columns_text(const std::vector<app::ColumnChange>& columns) {
  std::string text;
  for (const auto& [column, from, to] : columns) {
    text += fmt::format("{}{}: \"{}\" → \"{}\"", text.empty() ? "" : ", ", column, from, to);
  }
  return text;
}

std::string domains_text(std::size_t count) {
  return fmt::format("{} domain{}", count, count == 1 ? "" : "s");
}

Task<Status> write_inventory(app::App* app, Context context, store::InventoryChange change) {
  const auto count = change.added.size() + change.changed.size() + change.removed.size();
  runtime::TaskGroup background(app->loop());
  background.spawn(show_when_long(app, context, "writing " + domains_text(count)));
  auto status = co_await app->store().change_inventory(std::move(change));
  background.cancel();
  co_await background.join();
  co_return status;
}

void add_domain(CLI::App& parent, Context& context) {
  auto* command = parent.add_subcommand("domain", "The inventory");
  command->footer(
      "Examples:\n"
      "  certherd domain add www.example.com\n"
      "  certherd domain list\n"
      "  certherd domain sync all.csv --dry-run");
  require_command(*command);
  add_domain_add(*command, context);
  add_domain_import(*command, context);
  add_domain_discover(*command, context);
  add_domain_list(*command, context);
  add_domain_show(*command, context);
  add_domain_set(*command, context);
  add_domain_sync(*command, context);
  add_domain_export(*command, context);
  add_domain_remove(*command, context);
}

}  // namespace certherd::cli
