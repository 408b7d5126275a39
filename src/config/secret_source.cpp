#include "config/secret_source.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cstdlib>

#include "base/versioned_folder.hpp"

namespace certherd::config {
namespace {

constexpr std::size_t secret_limit = 64U << 10U;

}  // namespace

Result<Secret<std::string>> SecretSource::read() const {
  const std::string op = where.empty() ? "read a secret" : where;
  if (!env.empty()) {
    const char* value = std::getenv(env.c_str());
    if (value == nullptr || *value == '\0') {
      return fail(
          Error::Kind::misconfigured, op,
          fmt::format("the environment variable {} is not set: put the secret into it", env));
    }
    return Secret<std::string>(value);
  }
  struct stat status{};
  if (stat(file.c_str(), &status) == 0 && (status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return fail(
        Error::Kind::misconfigured, op,
        fmt::format("{0} can be read by others than its owner: run chmod 600 {0}", file.string()));
  }
  auto content = read_file(file, secret_limit);
  if (!content) {
    auto error = std::move(content.error()).during(op);
    if (error.kind == Error::Kind::not_found) {
      error.detail += ": write the secret into it, for its owner alone (chmod 600)";
    }
    error.kind = Error::Kind::misconfigured;
    return fail(std::move(error));
  }
  return Secret<std::string>(std::move(*content));
}

SecretSource read_secret_table(Section& table, std::string where,
                               const std::filesystem::path& folder) {
  SecretSource source;
  source.where = std::move(where);
  source.env = table.text("env").value_or("");
  if (const auto file = table.text("file")) source.file = (folder / *file).lexically_normal();
  if (source.env.empty() == source.file.empty()) {
    table.fault("env", R"(name one place: { env = "NAME" } or { file = "PATH" })");
  }
  table.done();
  return source;
}

std::optional<SecretSource> read_secret_source(Section& section, std::string_view key,
                                               const std::filesystem::path& folder) {
  auto inner = section.table(key);
  if (!inner) return std::nullopt;
  return read_secret_table(*inner, section.where(key), folder);
}

}  // namespace certherd::config
