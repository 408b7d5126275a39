#include "cli/tell.hpp"

#include <fmt/core.h>

#include <cstdio>

#include "base/log.hpp"

namespace certherd::cli {
namespace {

void tell(log::Level level, std::string_view before, std::string_view words) {
  if (log::format() == log::Format::json) {
    log::write(level, words);
  } else {
    fmt::print(stderr, "{}{}\n", before, words);
  }
}

}  // namespace

void tell_trouble(std::string_view words) { tell(log::Level::error, "certherd: ", words); }

void tell_part(std::string_view words) { tell(log::Level::error, "  ", words); }

void tell_aside(std::string_view words) { tell(log::Level::info, "", words); }

}  // namespace certherd::cli
