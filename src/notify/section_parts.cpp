#include "notify/section_parts.hpp"

#include <fmt/format.h>

#include "base/versioned_folder.hpp"

namespace certherd::notify {
namespace {

constexpr std::size_t trust_limit = 1U << 20U;
constexpr Duration longest_timeout = std::chrono::seconds(90);

}  // namespace

Duration read_timeout(config::Section& section, Duration usual) {
  const auto given = section.duration("timeout").value_or(usual);
  if (given >= std::chrono::seconds(1) && given <= longest_timeout) return given;
  section.fault("timeout", fmt::format("must be from 1s to {}", format_duration(longest_timeout)));
  return usual;
}

std::filesystem::path read_trust(config::Section& section, const std::filesystem::path& folder) {
  const auto trust = section.text("trust");
  return trust ? (folder / *trust).lexically_normal() : std::filesystem::path();
}

Result<std::string> load_trust(const std::filesystem::path& path) {
  if (path.empty()) return std::string();
  auto trust = read_file(path, trust_limit);
  if (trust) return trust;
  auto error = std::move(trust.error()).during("read trust");
  error.kind = Error::Kind::misconfigured;
  return fail(std::move(error));
}

Result<Secret<std::string>> read_trimmed(const config::SecretSource& source) {
  auto secret = source.read();
  if (!secret) return secret;
  constexpr std::string_view space = " \t\r\n";
  const auto& text = secret->reveal();
  const auto begin = text.find_first_not_of(space);
  if (begin == std::string::npos) {
    return fail(Error::Kind::misconfigured, source.where, "the secret is empty");
  }
  return Secret<std::string>(text.substr(begin, text.find_last_not_of(space) + 1 - begin));
}

}  // namespace certherd::notify
