#include "cli/confirm.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <string>

namespace certherd::cli {

bool confirmed(const Context& context, std::string_view question) {
  const bool person = isatty(STDIN_FILENO) != 0 && isatty(STDERR_FILENO) != 0;
  if (!person || context.json) return true;
  fmt::print(stderr, "{} [y/N] ", question);
  (void)std::fflush(stderr);
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

}  // namespace certherd::cli
