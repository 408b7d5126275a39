#pragma once

namespace certherd::cli {

/// Runs the program with these arguments; returns an ExitStatus.
int run(int argc, char** argv);

}  // namespace certherd::cli
