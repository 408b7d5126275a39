#pragma once

#include <string>

namespace certherd::cli {

/// Makes it safe to write to stdout and stderr from anywhere: a reader that has gone away, or a
/// full disk behind a redirection, must not end work that is under way. What cannot be written is
/// dropped. To be called once, before anything is opened: a stream that was closed for us would
/// otherwise be the place of the next file.
void guard_streams();

/// Writes out what is left, and says why stdout did not take all of it; empty when it has, or when
/// its reader has gone away, as `head` does when it has seen enough.
std::string close_output();

}  // namespace certherd::cli
