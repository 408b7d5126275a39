#pragma once

namespace certherd::cli {

/// Runs the program with these arguments; returns the contract's exit status.
int run(int argc, char** argv);

}  // namespace certherd::cli
