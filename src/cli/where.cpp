#include "cli/where.hpp"

#include <CLI/CLI.hpp>

#include "app/domain_filter.hpp"

namespace certherd::cli {

CLI::Option* add_where(CLI::App& command, std::string& where, const std::string& about) {
  return command.add_option("--where", where, about)->type_name("TERMS");
}

Task<Result<std::vector<store::DomainRow>>> domains_where(app::App* app, std::string where) {
  auto filter = app::DomainFilter::parse(where);
  if (!filter) co_return fail(std::move(filter.error()));
  auto rows = co_await app->store().domains();
  if (!rows) co_return rows;
  const Time now = app->loop().clock().now();
  co_return filter->select(std::move(*rows), app->config().defaults, now);
}

}  // namespace certherd::cli
