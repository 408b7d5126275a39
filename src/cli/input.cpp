#include "cli/input.hpp"

#include <array>
#include <iostream>

#include "base/versioned_folder.hpp"

namespace certherd::cli {
namespace {

std::string read_stdin(std::size_t limit) {
  std::string text;
  std::array<char, 1U << 16U> part{};
  while (std::cin && text.size() <= limit) {
    std::cin.read(part.data(), part.size());
    text.append(part.data(), static_cast<std::size_t>(std::cin.gcount()));
  }
  return text;
}

}  // namespace

Result<std::string> read_input(const std::string& path, std::size_t limit, std::string_view op) {
  if (path == "-") return read_stdin(limit);
  auto text = read_file(path, limit);
  if (!text) {
    auto error = std::move(text.error()).during(op);
    error.kind = Error::Kind::misconfigured;
    return fail(std::move(error));
  }
  return text;
}

}  // namespace certherd::cli
