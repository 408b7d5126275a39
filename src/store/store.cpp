#include "store/store.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "base/versioned_folder.hpp"
#include "store/migrations.hpp"
#include "store/sql_store.hpp"

namespace certherd::store {
namespace {

/// Where the store is; an empty path is in memory.
Result<std::filesystem::path> path_of(const std::string& url) {
  constexpr std::string_view scheme = "sqlite:";
  const std::string_view text = url;
  const auto bad = [&url](std::string why) {
    return fail(Error::Kind::misconfigured, "store " + url, std::move(why));
  };
  if (!text.starts_with(scheme)) return bad("this build knows sqlite:PATH only");
  const auto path = text.substr(scheme.size());
  if (path == ":memory:") return std::filesystem::path();
  if (!path.starts_with('/')) return bad("the path must be absolute");
  // SOCI's connection string has no way to write these.
  if (path.find_first_of(std::string_view("\"\0\n", 3)) != std::string_view::npos) {
    return bad("the path must hold no quotation mark, zero octet or line break");
  }
  return std::filesystem::path(path);
}

Status check_present(const std::filesystem::path& path) {
  std::error_code code;
  const auto status = std::filesystem::status(path, code);
  if (status.type() == std::filesystem::file_type::not_found) {
    return fail(Error::Kind::not_found, "store " + path.string(),
                "there is no store yet: certherd init makes one");
  }
  if (code) return fail(file_error("open store", path, code.value()));
  if (status.type() != std::filesystem::file_type::regular) {
    return fail(Error::Kind::misconfigured, "store " + path.string(), "it is no file");
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Store>> Store::open(const Options& options, runtime::Offload& writer,
                                           runtime::Offload& reader, runtime::Clock& clock) {
  auto path = path_of(options.url);
  if (!path) return fail(std::move(path.error()));
  if (!path->empty()) {
    // Made by us, since SQLite would make it readable for all; its -wal and -shm files get the
    // mode of the main file.
    auto there = options.create ? create_private_file(*path, "") : check_present(*path);
    if (!there) return fail(std::move(there.error()));
  }
  const auto dialect = make_sqlite(*path);
  try {
    auto sessions = std::make_shared<Sessions>(make_sqlite(*path));
    auto ready = sessions->write([&sessions, &options, &clock](Session& sql) {
      return options.migrate ? migrate(sessions->dialect(), sql, clock.now())
                             : check_schema(sessions->dialect(), sql);
    });
    if (!ready) return fail(std::move(ready.error()).during("open store"));
    return std::make_unique<SqlStore>(std::move(sessions), writer, reader, clock);
  } catch (const soci::soci_error& error) {
    return fail(dialect->explain(error).during("open store"));
  }
}

Task<Status> Store::add_domains(std::vector<Domain> domains, std::vector<Event> events) {
  InventoryChange change;
  change.added = std::move(domains);
  change.events = std::move(events);
  return change_inventory(std::move(change));
}

}  // namespace certherd::store
