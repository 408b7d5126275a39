#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace certherd::deploy {

/// The end of a command's output on one line: that is where the reason stands.
std::string last_lines(std::string_view output);

/// "`nginx -s reload` ended with status 1: …".
std::string how_it_ended(const std::vector<std::string>& command, int exit_status,
                         std::string_view output);

}  // namespace certherd::deploy
