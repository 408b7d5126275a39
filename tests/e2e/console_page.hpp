#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/event_loop.hpp"

namespace certherd::e2e {

/// A command line of a page, and what the page shows below it.
struct ShownCommand {
  std::string line;
  int status = 0;                   ///< "# exit status N" behind the line
  std::vector<std::string> output;  ///< "…" stands for anything, also for whole lines
};

/// The commands of the console blocks of README.md below a heading, up to the next one like it.
std::vector<ShownCommand> commands_below(std::string_view heading);

void replace_all(std::string& text, std::string_view from, std::string_view to);
/// The same in the commands and in what they show.
void replace_all(std::vector<ShownCommand>& commands, std::string_view from, std::string_view to);

/// Runs them in one bash, as a reader has it, in a folder that is also its home; the program under
/// test is in its PATH. Whatever is not as the page shows it is a failure of the test.
void expect_as_shown(runtime::EventLoop& loop, const std::vector<ShownCommand>& commands,
                     const std::filesystem::path& folder,
                     std::map<std::string, std::string> environment);

}  // namespace certherd::e2e
